"""Hardware sources and inventory on Linux, from /sys, /proc and /etc below a root."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_DMI = "sys/class/dmi/id"
_DMI_SOURCES = ("product_uuid", "product_serial", "board_serial")
_LOCALLY_ADMINISTERED = 0x02


class Facts(NamedTuple):
    """What firmware and system say of the machine; empty where unknown."""

    hostname: str = ""
    os: str = ""
    os_version: str = ""
    maker: str = ""
    model: str = ""
    cpu: str = ""
    firmware_date: str = ""
    serial: str = ""
    disks: tuple[str, ...] = ()


def hardware(root: Path) -> dict[str, str] | None:
    """Values by source; None where a source exists that this user may not read."""
    found = {}
    for name in _DMI_SOURCES:
        try:
            found[name] = _read(root / _DMI / name)
        except PermissionError:
            return None
    # ARM boards have no DMI; their serial is in the device tree.
    found["product_serial"] = found["product_serial"] or _text(
        root / "proc/device-tree/serial-number"
    )
    found["macs"] = " ".join(built_in_macs(root))
    found["disks"] = " ".join(_disk_serials(root))
    found["wifi"] = " ".join(_wifi_macs(root))
    return {name: value for name, value in found.items() if value}


def built_in_macs(root: Path) -> list[str]:
    """Burnt-in addresses of the built-in wired network cards, sorted.

    Without Wi-Fi (systems use random addresses when scanning), USB adapters and docks (they are
    moved between PCs), virtual interfaces, and addresses that are set by hand, random or locally
    administered.
    """
    try:
        folders = sorted((root / "sys/class/net").iterdir())
    except OSError:
        return []
    return sorted({_text(folder / "address").lower() for folder in folders if _is_built_in(folder)})


def weak(root: Path) -> tuple[str, str] | None:
    """The system's own id, which is stored on the disk and cloned with it; with its name."""
    for path in ("etc/machine-id", "var/lib/dbus/machine-id"):
        if value := _text(root / path):
            return "machine-id", value
    return None


def inventory(root: Path) -> Facts:
    """What /sys, /proc and /etc say of the machine."""
    return Facts(
        hostname=platform.node(),
        os="Linux",
        os_version=_os_version(root) or platform.release(),
        maker=_text(root / _DMI / "sys_vendor"),
        model=_text(root / _DMI / "product_name") or _text(root / "proc/device-tree/model"),
        cpu=_cpu(root) or platform.machine(),
        firmware_date=_text(root / _DMI / "bios_date"),
        serial=_text(root / _DMI / "product_serial"),  # readable by root only
        disks=tuple(_disks(root)),
    )


def _built_in_disks(root: Path) -> list[Path]:
    """Built-in hardware disks: no USB sticks, no disk images."""
    try:
        folders = sorted((root / "sys/block").iterdir())
    except OSError:
        return []
    return [
        folder
        for folder in folders
        if (folder / "device").exists()
        and _text(folder / "removable") != "1"
        and "/usb" not in os.path.realpath(folder)
    ]


def _disk_serials(root: Path) -> list[str]:
    """World-wide names, which are burnt in and so not cloned with the content; sorted."""
    disks = _built_in_disks(root)
    found = {_text(disk / "wwid") or _text(disk / "device/wwid") for disk in disks}
    return sorted(found - {""})


def _wifi_macs(root: Path) -> list[str]:
    """The addresses burnt into Wi-Fi cards, whatever their interfaces use now; sorted."""
    try:
        folders = sorted((root / "sys/class/ieee80211").iterdir())
    except OSError:
        return []
    found = {_text(folder / "macaddress").lower() for folder in folders}
    return sorted(mac for mac in found if mac and not int(mac[:2], 16) & _LOCALLY_ADMINISTERED)


def _disks(root: Path) -> Iterator[str]:
    """Model and size in GB (10^9 bytes) of each disk; sysfs counts blocks of 512 bytes."""
    for disk in _built_in_disks(root):
        size = _text(disk / "size")
        model = " ".join((_text(disk / "device/model") or disk.name).split())
        yield f"{model} {int(size) * 512 / 1e9:.0f} GB" if size.isdecimal() else model


def _is_built_in(folder: Path) -> bool:
    address = _text(folder / "address")
    if not address or (folder / "wireless").exists() or (folder / "phy80211").exists():
        return False
    if not (folder / "device").exists() or _bus(folder) == "usb":
        return False
    # Set for devices behind a Thunderbolt port: the card of a dock is not part of the PC.
    if _text(folder / "device/removable") == "removable":
        return False
    if _text(folder / "addr_assign_type") not in ("", "0"):  # NET_ADDR_PERM
        return False
    try:
        octets = bytes.fromhex(address.replace(":", ""))
    except ValueError:
        return False
    return len(octets) == 6 and any(octets) and not octets[0] & (_LOCALLY_ADMINISTERED | 0x01)


def _bus(folder: Path) -> str:
    return os.path.basename(os.path.realpath(folder / "device/subsystem"))


def _os_version(root: Path) -> str:
    for line in _text(root / "etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip().strip("\"'")
    return ""


def _cpu(root: Path) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return ""


def _read(path: Path) -> str:
    """The text of a file; empty where there is none.

    Raises:
        PermissionError: it exists, and this user may not read it.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
    except PermissionError:
        raise
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return _read(path)
    except PermissionError:
        return ""

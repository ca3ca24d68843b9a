"""Hardware sources and inventory on Windows: the firmware table and the registry.

GetSystemFirmwareTable('RSMB') is open to every user, so no helper is needed. The SMBIOS
parser is tested on tables that the tests build; the calls around it are not tried on a real
Windows.
"""

from __future__ import annotations

import platform
import struct
import sys
import uuid
from collections.abc import Iterator

from agent.identity_linux import Facts

_BIOS_KEY = r"HARDWARE\DESCRIPTION\System\BIOS"
_CPU_KEY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_CRYPTOGRAPHY_KEY = r"SOFTWARE\Microsoft\Cryptography"
_RSMB = 0x52534D42
_SYSTEM, _BOARD, _END = 1, 2, 127


def hardware() -> dict[str, str]:
    """Values by source."""
    found = parse_smbios(_firmware_table()[8:])
    found["macs"] = " ".join(_built_in_macs())
    return {name: value for name, value in found.items() if value}


def weak() -> tuple[str, str] | None:
    """MachineGuid, which is cloned with the disk."""
    guid = _registry(_CRYPTOGRAPHY_KEY, "MachineGuid")
    return ("MachineGuid", guid) if guid else None


def inventory() -> Facts:
    """What the registry says of the machine."""
    return Facts(
        hostname=platform.node(),
        os="Windows",
        os_version=f"{platform.release()} {platform.version()}",
        maker=_registry(_BIOS_KEY, "SystemManufacturer"),
        model=_registry(_BIOS_KEY, "SystemProductName"),
        cpu=_registry(_CPU_KEY, "ProcessorNameString"),
        firmware_date=_registry(_BIOS_KEY, "BIOSReleaseDate"),
    )


def parse_smbios(table: bytes) -> dict[str, str]:
    """product_uuid, product_serial and board_serial of an SMBIOS structure table.

    SMBIOS specification 3.7 (DMTF DSP0134): 7.2 System Information has the serial's string
    number at 7 and the UUID at 8, its first three fields little endian; 7.3 Baseboard has the
    serial's string number at 7. A table that ends too soon gives what came before.
    """
    found: dict[str, str] = {}
    for kind, fields, strings in _structures(table):
        if kind == _SYSTEM and len(fields) >= 24:
            found.setdefault("product_uuid", str(uuid.UUID(bytes_le=fields[8:24])))
            found.setdefault("product_serial", _string(strings, fields[7]))
        elif kind == _BOARD and len(fields) >= 8:
            found.setdefault("board_serial", _string(strings, fields[7]))
    return found


def _structures(table: bytes) -> Iterator[tuple[int, bytes, list[bytes]]]:
    place = 0
    while place + 4 <= len(table):
        kind, length = struct.unpack_from("BB", table, place)
        end = table.find(b"\0\0", place + length)
        if length < 4 or end < 0 or kind == _END:
            return
        fields, strings = table[place : place + length], table[place + length : end]
        yield kind, fields, strings.split(b"\0")
        place = end + 2


def _string(strings: list[bytes], number: int) -> str:
    """Strings are numbered from 1; 0 is none."""
    if not 1 <= number <= len(strings):
        return ""
    return strings[number - 1].decode("ascii", "replace").strip()


def _firmware_table() -> bytes:
    if sys.platform != "win32":
        return b""
    import ctypes

    call = ctypes.windll.kernel32.GetSystemFirmwareTable
    size = call(_RSMB, 0, None, 0)
    buffer = ctypes.create_string_buffer(size)
    return buffer.raw[: call(_RSMB, 0, buffer, size)] if size else b""


def _built_in_macs() -> list[str]:
    """Addresses of wired adapters that are not on USB, sorted."""
    import psutil

    from agent.probes import nics_windows

    wired = {name for name in psutil.net_if_addrs() if nics_windows.built_in(name)}
    found = {
        address.address.replace("-", ":").lower()
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if name in wired and address.family == psutil.AF_LINK
    }
    return sorted(mac for mac in found if not int(mac[:2], 16) & 0x03)


def _registry(key: str, name: str) -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
            return str(winreg.QueryValueEx(opened, name)[0]).strip()
    except OSError:  # no such key on this edition
        return ""

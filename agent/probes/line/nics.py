"""Network interfaces: which there are, of what kind, and which one an address belongs to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import psutil

from agent.wire import Nic

Kind = Literal["wired", "wifi", "loopback", "virtual", "other"]
#: ARPHRD_ETHER and ARPHRD_LOOPBACK of linux/if_arp.h.
_ETHER, _LOOPBACK = "1", "772"
#: ARPHRD_PPP, _TUNNEL, _SIT, _IPGRE and _NONE (tun, WireGuard).
_TUNNELS = ("512", "768", "776", "778", "65534")


def interfaces(root: Path = Path("/")) -> tuple[Nic, ...]:
    """All interfaces with their counters since the system's boot, by name."""
    counters = psutil.net_io_counters(pernic=True, nowrap=False)
    return tuple(
        Nic(
            name=name,
            up=stats.isup,
            kind=kind(name, root),
            link_mbps=float(stats.speed) if 0 < stats.speed < 10_000_000 else None,
            sent_bytes=counters[name].bytes_sent if name in counters else None,
            received_bytes=counters[name].bytes_recv if name in counters else None,
        )
        for name, stats in sorted(psutil.net_if_stats().items())
    )


def kind(name: str, root: Path = Path("/")) -> Kind:
    """The kind of an interface; `virtual` is that of a VPN, bridge, container or hypervisor."""
    if sys.platform == "win32":
        from agent.probes.line import nics_windows

        return nics_windows.kind(name)
    return _kind_linux(root / "sys/class/net" / name)


def describe(name: str, root: Path = Path("/")) -> str:
    """The reason code of a test over this interface: wifi, loopback, virtual, vpn or not_wired."""
    found = kind(name, root)
    folder = root / "sys/class/net" / name
    tunnel = (folder / "tun_flags").exists() or _text(folder / "type") in _TUNNELS
    if found == "virtual" and tunnel:
        return "vpn"
    return found if found in ("wifi", "loopback", "virtual") else "not_wired"


def _kind_linux(folder: Path) -> Kind:
    if _text(folder / "type") == _LOOPBACK:
        return "loopback"
    if (folder / "wireless").exists() or (folder / "phy80211").exists():
        return "wifi"
    if not (folder / "device").exists():  # not backed by hardware
        return "virtual"
    return "wired" if _text(folder / "type") == _ETHER else "other"


def owner(address: str) -> str:
    """The name of the interface that has this address; empty where none has."""
    for name, addresses in psutil.net_if_addrs().items():
        # IPv6 link-local addresses carry their interface after a %.
        if any(found.address.split("%")[0] == address.split("%")[0] for found in addresses):
            return name
    return ""


def received(name: str) -> int | None:
    """Bytes received by an interface since the system's boot; None where it has no counter."""
    found = psutil.net_io_counters(pernic=True, nowrap=False).get(name)
    return None if found is None else int(found.bytes_recv)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # no cable, or the interface is gone
        return ""

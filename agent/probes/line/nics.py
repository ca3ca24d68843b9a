"""Network interfaces: which there are, of what kind, and which one an address belongs to.

Bonds, teams, bridges, VLANs and PPPoE carry a line over a cable: they are of the kind of what
they stand on. A VPN stands on nothing, and a phone's shared network is no cable.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import psutil

from agent.wire import Nic

Kind = Literal["wired", "wifi", "loopback", "virtual", "other"]
#: ARPHRD_ETHER and ARPHRD_LOOPBACK of linux/if_arp.h.
_ETHER, _LOOPBACK = "1", "772"
_PPP = "512"  # ARPHRD_PPP
#: ARPHRD_PPP, _TUNNEL, _SIT, _IPGRE and _NONE (tun, WireGuard).
_TUNNELS = (_PPP, "768", "776", "778", "65534")
#: Linux drivers of phones that share their network by USB; Android 12 and later use those of docks.
_PHONES, _DOCKS_TOO = ("rndis_host", "ipheth"), ("cdc_ether", "cdc_ncm")
_NO_SPEED = 10_000_000  # Mbit/s; from here on no cable has it, and drivers do not know
_LOCAL = 0x02  # in the first byte of a MAC address: given by software, as phones do


def interfaces(root: Path = Path("/")) -> tuple[Nic, ...]:
    """All interfaces with their counters since the system's boot, by name."""
    counters = psutil.net_io_counters(pernic=True, nowrap=False)
    return tuple(
        Nic(
            name=name,
            up=stats.isup,
            kind=kind(name, root),
            link_mbps=float(stats.speed) if 0 < stats.speed < _NO_SPEED else None,
            sent_bytes=counters[name].bytes_sent if name in counters else None,
            received_bytes=counters[name].bytes_recv if name in counters else None,
        )
        for name, stats in sorted(psutil.net_if_stats().items())
    )


def kind(name: str, root: Path = Path("/")) -> Kind:
    """The kind of an interface; `virtual` is that of a VPN, container or hypervisor."""
    if sys.platform == "win32":
        from agent.probes.line import nics_windows

        return nics_windows.kind(name)
    return _kind_linux(root, name)


def describe(name: str, root: Path = Path("/")) -> str:
    """The reason code of a test over this interface: one of `reasons.INTERFACES`."""
    found = kind(name, root)
    if found == "virtual" and _is_tunnel(root, name):
        return "vpn"
    if found == "other" and _is_phone(root / "sys/class/net" / name):
        return "tether"
    return found if found in ("wifi", "loopback", "virtual") else "not_wired"


def _kind_linux(root: Path, name: str) -> Kind:
    folder = root / "sys/class/net" / name
    if _text(folder / "type") == _LOOPBACK:
        return "loopback"
    if (folder / "wireless").exists() or (folder / "phy80211").exists():
        return "wifi"
    if not (folder / "device").exists():  # not backed by hardware itself
        return _kind_below(root, name)
    cable = not (_is_phone(folder) or _is_modem(folder))
    return "wired" if _text(folder / "type") == _ETHER and cable else "other"


def _kind_below(root: Path, name: str) -> Kind:
    """That of the interfaces it stands on, of several the worst for a test."""
    kinds = {_kind_linux(root, lower) for lower in lower_links(name, root)}
    worst: tuple[Kind, ...] = ("wifi", "other", "wired")
    return next((one for one in worst if one in kinds), "virtual")


def lower_links(name: str, root: Path = Path("/")) -> list[str]:
    """The interfaces that this one stands on: a bond's, a bridge's, a VLAN's, PPPoE's."""
    folder = root / "sys/class/net" / name
    if _text(folder / "type") == _PPP:
        return _under_pppoe(root)
    return sorted(link.name.removeprefix("lower_") for link in folder.glob("lower_*"))


def _under_pppoe(root: Path) -> list[str]:
    """The interfaces of the PPPoE sessions; none where a PPP interface may be a VPN's instead.

    The kernel does not say which PPP interface belongs to which session (/proc/net/pppoe:
    a head, then Id, Address, Device).
    """
    rows = [line.split() for line in _text(root / "proc/net/pppoe").splitlines()[1:]]
    sessions = [row[-1] for row in rows if len(row) >= 3]
    links = (root / "sys/class/net").glob("*")
    ppps = sum(_text(link / "type") == _PPP for link in links)
    return sessions if ppps <= len(sessions) else []


def _is_tunnel(root: Path, name: str) -> bool:
    """Whether a program takes what this interface sends, or what it stands on.

    A TAP device too: one that has the address of a route is a VPN's of whole Ethernet frames
    (OpenVPN, SoftEther, ZeroTier). A virtual machine's has none: the bridge that it is in has.
    """
    folder = root / "sys/class/net" / name
    own = (folder / "tun_flags").exists() or _text(folder / "type") in _TUNNELS
    return own or any(_is_tunnel(root, lower) for lower in lower_links(name, root))


def _is_phone(folder: Path) -> bool:
    driver = (folder / "device/driver").resolve().name
    if driver in _PHONES:
        return True
    first = _text(folder / "address").partition(":")[0]
    return driver in _DOCKS_TOO and bool(int(first or "0", 16) & _LOCAL)


def _is_modem(folder: Path) -> bool:
    """Mobile broadband: some modems show themselves as Ethernet."""
    return "DEVTYPE=wwan" in _text(folder / "uevent").split()


def link_mbps(name: str, root: Path = Path("/")) -> float | None:
    """The rate of the cable, in Mbit/s; a bond's is the sum of its cables'. None: not known."""
    stats = psutil.net_if_stats()
    lower = [one for one in lower_links(name, root) if kind(one, root) == "wired"] or [name]
    speeds = [stats[one].speed if one in stats else 0 for one in lower]
    known = all(0 < speed < _NO_SPEED for speed in speeds)
    return float(sum(speeds)) if known else None


def counted_on(name: str, root: Path = Path("/")) -> str:
    """The interface whose counter counts whole frames: for PPPoE, the one that it stands on."""
    folder = root / "sys/class/net" / name
    below = lower_links(name, root) if _text(folder / "type") == _PPP else []
    return below[0] if below else name


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

"""Whether a network link is metered (paid by volume), and which link leads to a server."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from agent.probes.line import nics

_NMCLI = ["-g", "GENERAL.METERED", "device", "show"]
_PATIENCE_S = 3.0
_COSTS = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\DefaultMediaCost"
_UNRESTRICTED = 1  # NLM_CONNECTION_COST_UNRESTRICTED


def towards(url: str) -> str:
    """The interface of the route to a server; empty where there is no route.

    Connecting a UDP socket sends nothing, and shows our address on that route.
    """
    try:
        parts = urlsplit(url)
        if not parts.hostname:
            return ""
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)
            return nics.owner(str(probe.getsockname()[0]))
    except (OSError, ValueError):
        return ""


def metered(name: str, root: Path = Path("/")) -> bool:
    """Whether the system regards an interface as metered; mobile broadband always is.

    Linux: by device type, then NetworkManager if it runs. Windows: by the cost set for the
    medium in the registry (from Microsoft's documentation, not tried on a real Windows).
    """
    if sys.platform == "win32":
        return _metered_windows(name)
    try:
        if "DEVTYPE=wwan" in (root / "sys/class/net" / name / "uevent").read_text().split():
            return True
    except OSError:  # the interface is gone
        return False
    return _by_network_manager(name)


def _by_network_manager(name: str) -> bool:
    program = shutil.which("nmcli")
    if program is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, and an interface name from the system
            [program, *_NMCLI, name], capture_output=True, text=True, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.startswith("yes")  # "yes", "yes (guessed)"


def _metered_windows(name: str) -> bool:
    if sys.platform != "win32":
        return False
    import winreg

    medium = "WiFi" if nics.kind(name) == "wifi" else "Ethernet"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _COSTS) as key:
            return bool(winreg.QueryValueEx(key, medium)[0] != _UNRESTRICTED)
    except OSError:
        return False

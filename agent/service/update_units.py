"""The units of root's half of an update on Linux: a service, and the path that starts it.

The service runs from PREFIX-steady, the last version that has reported. Only a program in a virtual
environment of its own, as install.sh makes it, can be replaced.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from agent.common.systemd_unit import hardening, quoted
from agent.config import DEFAULT_FILE
from agent.service import place
from agent.update.install_linux import PATH_UNIT, REQUEST, ROOT_STATE
from agent.update.memory import FOLDER

SERVICE_UNIT = PATH_UNIT.with_suffix(".service")
#: What would keep root from the service's folder, or programs from being read by all.
_TAKEN = ("CapabilityBoundingSet", "AmbientCapabilities", "UMask")
_STATE = "/var/lib/schoolpulse-agent"
_REQUEST = f"{_STATE}/{FOLDER}/{REQUEST}"


def service(prefix: Path) -> str:
    """The helper's unit; it writes beside PREFIX and in /var/lib, and has no network."""
    steady = prefix.with_name(f"{prefix.name}-steady") / "bin/python"
    start = quoted([str(steady), "-m", "agent.update.helper", "--prefix", str(prefix)])
    return f"""\
[Unit]
Description=SchoolPulse agent: installs new versions that the city has signed
After=local-fs.target

[Service]
ExecStart={start}
Nice=19
IOSchedulingClass=idle
UMask=0022

# As root, for it replaces programs; it reads what others wrote, and needs no network for that.
{hardening(*_TAKEN)}\
# What the service keeps for itself is read, and its request taken away.
CapabilityBoundingSet=CAP_DAC_OVERRIDE
StateDirectory={ROOT_STATE.name}
ReadWritePaths={quoted([str(prefix.parent)])} -{_STATE}
ProtectProc=invisible
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX

[Install]
WantedBy=multi-user.target
"""


def path() -> str:
    """The unit that starts it where the agent leaves a request."""
    return f"""\
[Unit]
Description=SchoolPulse agent: a request to install a new version

[Path]
PathExists={_REQUEST}

[Install]
WantedBy=multi-user.target
"""


def install(systemctl: Callable[..., str]) -> None:
    """Write both units and enable them, where this program can be replaced. Raises OSError."""
    if place.citys(DEFAULT_FILE.parent):  # its program, of which an agent's is a part, is not ours
        uninstall(systemctl)
        return
    prefix = Path(sys.prefix)
    if sys.prefix == sys.base_prefix or getattr(sys, "frozen", False) or not _owned(prefix):
        return
    steady = prefix.with_name(f"{prefix.name}-steady")
    if not steady.is_symlink():
        steady.symlink_to(prefix.resolve())
    SERVICE_UNIT.write_text(service(prefix), encoding="utf-8")
    PATH_UNIT.write_text(path(), encoding="utf-8")
    systemctl("daemon-reload")
    systemctl("enable", SERVICE_UNIT.name)
    systemctl("enable", "--now", PATH_UNIT.name)


def uninstall(systemctl: Callable[..., str]) -> None:
    """Remove both, where they are. Raises OSError."""
    for unit in (PATH_UNIT, SERVICE_UNIT):
        if unit.exists():
            systemctl("disable", "--now", unit.name)
            unit.unlink()


def purge() -> None:
    """Remove what root remembers of updates. Raises OSError."""
    if ROOT_STATE.exists():
        shutil.rmtree(ROOT_STATE)


def _owned(prefix: Path) -> bool:
    """Whether it lies where programs do: an environment in a source folder is somebody's own."""
    return prefix.parent == Path("/opt") and os.stat(prefix).st_uid == 0

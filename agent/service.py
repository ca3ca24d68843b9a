"""The agent as a service of this system: Windows' own manager, or systemd."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

UNIT = Path("/etc/systemd/system/schoolpulse-agent.service")
_NAME = UNIT.name


class Refused(Exception):  # noqa: N818 - what the system did, not a fault of ours
    """The system would not."""


def command() -> list[str]:
    """How this agent is started: the frozen program, or this Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "agent.cli"]


def install() -> str:
    """Make the service and start it; its name.

    Raises:
        Refused, OSError.
    """
    if sys.platform == "win32":
        from agent import service_windows as windows

        uninstall()
        try:
            windows.install(subprocess.list2cmdline([*command(), "service"]), _moment)
        except windows.ServiceError as error:
            raise Refused(str(error)) from error
        return windows.NAME
    _systemctl("--version")
    UNIT.write_text(unit(command()), encoding="utf-8")
    for words in (("daemon-reload",), ("enable", _NAME), ("restart", _NAME)):
        _systemctl(*words)
    return _NAME


def uninstall() -> bool:
    """Stop and remove the service; whether there was one.

    Raises:
        Refused, OSError.
    """
    if sys.platform == "win32":
        from agent import service_windows as windows

        try:
            return windows.uninstall(_moment)
        except windows.ServiceError as error:
            raise Refused(str(error)) from error
    if not UNIT.exists():
        return False
    _systemctl("disable", "--now", _NAME)
    UNIT.unlink()
    _systemctl("daemon-reload")
    return True


def _moment() -> None:
    time.sleep(0.1)


def unit(start: list[str]) -> str:
    """The unit of this installation, as deploy/systemd/ has it for /opt/schoolpulse."""
    python = start[0] if len(start) > 1 else ""
    helper = f"ExecStartPre=+{python} -m agent.identity\n" if python else ""
    return _UNIT.format(helper=helper, start=" ".join(start))


def _systemctl(*words: str) -> None:
    program = shutil.which("systemctl")
    if program is None:
        raise Refused("no systemd here")
    call = [program, *words]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Refused(done.stderr.strip() or f"systemctl {words[0]}: {done.returncode}")


_UNIT = """\
[Unit]
Description=SchoolPulse agent: reports the line and the equipment of this PC
Wants=network-online.target
After=network-online.target

[Service]
# As root (the +), for only root may read the firmware's serials.
{helper}ExecStart={start} run
Restart=always
RestartSec=10
DynamicUser=yes
StateDirectory=schoolpulse-agent
RuntimeDirectory=schoolpulse
Environment=SCHOOLPULSE_DATA=/var/lib/schoolpulse-agent
Nice=19
IOSchedulingClass=idle
CPUWeight=10
MemoryHigh=64M
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
UMask=0077

[Install]
WantedBy=multi-user.target
"""

"""The agent as a system service: the Windows service manager, or systemd."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from agent.common.language import say

UNIT = Path("/etc/systemd/system/schoolpulse-agent.service")
_NAME = UNIT.name


class Refused(Exception):  # noqa: N818 - what the system did, not an error of ours
    """The system refused; the message says why, and the fix where one is known."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(say(f"{what}；{fix}", f"{what}; {fix}") if fix else what)


class Late(Refused):
    """The service is installed and starts with the PC, but did not start in time now."""


def command() -> list[str]:
    """The command that starts this agent: the frozen program, or this Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "agent.cli"]


def install() -> str:
    """Install the service and start it; returns its name.

    Raises:
        Late: it is installed, but not running yet.
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import windows

        uninstall()
        with _explained():
            windows.install(subprocess.list2cmdline([*command(), "service"]), _pause)
            windows.start(_pause)
        return windows.NAME
    _systemctl("--version")
    UNIT.write_text(unit(command()), encoding="utf-8")
    for words in (("daemon-reload",), ("enable", _NAME), ("restart", _NAME)):
        _systemctl(*words)
    return _NAME


def stop() -> bool:
    """Stop the service until the PC starts again; returns whether there is one.

    Raises:
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import windows

        with _explained():
            return windows.stop(_pause)
    if not UNIT.exists():
        return False
    _systemctl("stop", _NAME)
    return True


def start() -> None:
    """Start the service that `stop` stopped.

    Raises:
        Late: it is not running yet.
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import windows

        with _explained():
            windows.start(_pause)
        return
    _systemctl("start", _NAME)


def uninstall() -> bool:
    """Stop and remove the service; returns whether there was one.

    Raises:
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import windows

        with _explained():
            return windows.uninstall(_pause)
    if not UNIT.exists():
        return False
    _systemctl("disable", "--now", _NAME)
    UNIT.unlink()
    _systemctl("daemon-reload")
    return True


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn errors of Windows into `Refused` or `Late`, with the fix for their number."""
    from agent.service import words as service_words
    from agent.windows import advapi

    try:
        yield
    except advapi.ServiceError as error:
        kind = Late if error.code in service_words.LATE else Refused
        raise kind(str(error), service_words.fix(error.code)) from error


def _pause() -> None:
    time.sleep(0.1)


def unit(start: list[str]) -> str:
    """The systemd unit for this installation; deploy/systemd/ has that for /opt/schoolpulse."""
    python = start[0] if len(start) > 1 else ""
    helper = f"ExecStartPre=+{python} -m agent.identity\n" if python else ""
    return _UNIT.format(helper=helper, start=" ".join(start))


def _systemctl(*words: str) -> None:
    program = shutil.which("systemctl")
    if program is None:
        text = say("没有 systemd", "no systemd on this PC")
        raise Refused(
            text,
            say("用 run 让它常驻", "start schoolpulse-agent run with your own service manager"),
        )
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

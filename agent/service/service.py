"""The agent as a system service: the Windows service manager, or systemd."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.common.language import say
from agent.config import Config
from agent.service import unit, update_units

UNIT = Path("/etc/systemd/system/schoolpulse-agent.service")
_NAME = UNIT.name
#: There where systemd is the first process, as sd_booted(3) tells it: not in most containers.
_BOOTED = Path("/run/systemd/system")
_OLDEST = 247  # of systemd: the first that hands over copies of secrets


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


def check() -> None:
    """Raise Refused where there is nothing to install into."""
    if sys.platform == "win32":
        return
    found = re.search(r"systemd (\d+)", _systemctl("--version"))
    if found and int(found[1]) < _OLDEST:
        raise Refused(
            say(f"systemd {found[1]} 太旧", f"systemd {found[1]} is too old"),
            say(
                f"要 {_OLDEST} 以上才能把密钥只交给服务；用 run 让它常驻",
                f"only {_OLDEST} or later hands secrets to a service alone; start"
                " schoolpulse-agent run with your own service manager",
            ),
        )


def current(copies: Sequence[str]) -> bool:
    """Whether the service is there as `install` makes it, and running.

    Raises:
        Refused, OSError: the system does not let us look.
    """
    if sys.platform == "win32":
        from agent.service import windows

        with _explained():
            return windows.runs(_windows_command())
    if not UNIT.exists() or UNIT.read_text("utf-8") != unit.text(command(), copies):
        return False
    try:
        for word in ("is-enabled", "is-active"):
            _systemctl(word, "--quiet", _NAME)
    except Refused:
        return False
    return True


def install(copies: Sequence[str], config: Config) -> str:
    """Install the service and start it; returns its name.

    `copies`: the files beside the settings that systemd hands to it.

    Raises:
        Late: it is installed, but not running yet.
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import update_windows, windows

        with _explained():
            windows.uninstall(windows.pause)
            windows.install(_windows_command(), windows.pause)
            update_windows.install(config.update.public_key, config.folder, windows.pause)
            windows.start(windows.pause)
        return windows.NAME
    check()
    UNIT.write_text(unit.text(command(), copies), encoding="utf-8")
    for words in (("daemon-reload",), ("enable", _NAME), ("restart", _NAME)):
        _systemctl(*words)
    update_units.install(_systemctl)
    return _NAME


def _windows_command() -> str:
    return subprocess.list2cmdline([*command(), "service"])


def handed() -> dict[str, str]:
    """The copies that the installed unit asks systemd for: name, and the file."""
    try:
        text = UNIT.read_text("utf-8")
    except OSError:
        return {}
    rows = re.findall(r"^LoadCredential=([^:\n]+):(.+)$", text, re.MULTILINE)
    return {name: file.strip() for name, file in rows}


def stop() -> bool:
    """Stop the service until the PC starts again; returns whether there is one.

    Raises:
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import windows

        with _explained():
            return windows.stop(windows.pause)
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
            windows.start(windows.pause)
        return
    _systemctl("start", _NAME)


def uninstall() -> bool:
    """Stop and remove the service; returns whether there was one.

    Raises:
        Refused, OSError: the system does not let us.
    """
    if sys.platform == "win32":
        from agent.service import update_windows, windows

        with _explained():
            update_windows.uninstall(windows.pause)
            return windows.uninstall(windows.pause)
    if not UNIT.exists():
        return False
    update_units.uninstall(_systemctl)
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


def _systemctl(*words: str) -> str:
    """What it says."""
    program = shutil.which("systemctl")
    if program is None:
        raise Refused(say("没有 systemd", "no systemd on this PC"), _by_hand())
    call = [program, *words]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip() or f"systemctl {words[0]}: {done.returncode}"
        raise Refused(said, "" if _BOOTED.is_dir() else _by_hand())
    return done.stdout


def _by_hand() -> str:
    return say("用 run 让它常驻", "start schoolpulse-agent run with your own service manager")

"""The updater's process on Windows: started by the service manager, as the system.

    schoolpulse-agent.exe -m agent.service.update_service --prefix … --own … --state …

What it does is `agent.update.helper`, as on Linux; here are Windows' ways to install and go back.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.common import log
from agent.service import serve_windows, update_windows, windows
from agent.service.update_windows import KEY, UPDATING, WORK
from agent.update import helper
from agent.update.helper import Setup
from agent.update.install_windows import UPDATER
from agent.update.programs import Programs
from agent.windows.advapi import ServiceError

_SETUP_S = 900
_LOG_BYTES = 1_000_000
_LOG = "update.log"
_SETUP = "setup.exe"


class Stopped(Exception):  # noqa: N818 - what is so, not an error
    """Windows is shutting down: what is pending goes on at the next start."""


class Setups(Programs):
    """A version is its setup.exe, in a folder of its own until it has proved good."""

    def __init__(self, setup: Setup, stopped: threading.Event) -> None:
        self._setup, self._stopped = setup, stopped

    def build(self, package: Path, target: Path, version: str, work: Path) -> None:
        """Nothing is built: the setup brings the program whole. Raises OSError."""
        if target.exists():
            shutil.rmtree(target)
        target.mkdir()
        shutil.copy(package, target / _SETUP)

    def restart(self) -> None:
        """Have the agent run, which the setup or a way back may have left stopped."""
        try:
            if windows.state() == "running":
                return
        except (OSError, ServiceError) as error:
            log.warning("service", reason=error)
        call = [str(self._setup.prefix / Path(sys.executable).name), "install"]
        try:
            _run(call)
        except OSError as error:
            log.error("update_restart", reason=error)

    def restarts(self) -> int:
        """Windows does not tell; that no report comes is enough."""
        return 0

    def wait(self, seconds: float) -> None:
        """Let time pass. Raises Stopped."""
        if self._stopped.wait(seconds):
            raise Stopped


class Copies:
    """The program in use, and the copy of it that this process runs from."""

    def __init__(self, setup: Setup, copy: Path) -> None:
        self._setup, self._copy = setup, copy

    def folder(self, version: str) -> Path:
        """Where a version's setup lies."""
        return self._setup.own / f"setup-{version}"

    def settle(self, version: str) -> Path:
        """The copy of the version in use is there already: we are it."""
        return self._copy

    def switch(self, target: Path) -> None:
        """Install the setup in `target`, or put the copy `target` back. Raises OSError."""
        setup = target / _SETUP
        if setup.exists():
            # NSIS reads what stands behind /D= as it is, to the end.
            _run(f'"{setup}" /S /D={self._setup.prefix}')
            return
        _whole(target)
        with contextlib.suppress(ServiceError):  # a setup that was cut may have left none
            windows.stop(_pause)
        _replace(self._setup.prefix, target)

    def keep(self, target: Path, previous: Path) -> None:
        """Have the updater run from a copy of the new version from its next start on."""
        version = target.name.partition("-")[2]
        own, prefix = self._setup.own, self._setup.prefix
        try:
            copy = update_windows.copied(prefix, own, version)
            windows.repoint(UPDATER, update_windows.command(copy, prefix, self._setup.state))
        except (OSError, ServiceError) as error:  # the old copy serves on
            log.error("update_copy", version=version, reason=error)
            copy = previous
        update_windows.forget_copies(own, copy, previous)


def main() -> int:
    """Run as the service. Returns 1 where Windows did not start us."""
    parser = argparse.ArgumentParser(prog=update_windows.MODULE)
    helper.add_arguments(parser)
    given = parser.parse_args()
    setup = Setup(**vars(given), platform="windows", package=f"{WORK}/{_SETUP}")
    setup = setup._replace(settings=setup.own / KEY)
    stopped = threading.Event()
    with _logging_into(setup.own / _LOG):
        try:
            return serve_windows.serve(_body(setup, stopped), stopped.set, UPDATER)
        except ServiceError as error:
            log.error("service", reason=error)
            return 1


def _body(setup: Setup, stopped: threading.Event) -> Callable[[Callable[[], None]], int]:
    def body(up: Callable[[], None]) -> int:
        up()
        with contextlib.suppress(Stopped):
            copies = Copies(setup, Path(sys.executable).parent)
            helper.run(setup, Setups(setup, stopped), copies)
        return 0  # what came of it stands in the result; an error code would have us restarted

    return body


def _whole(copy: Path) -> None:
    """Raises OSError: a part of the program is missing, and the one that is there must stay."""
    if not (copy / "_internal").is_dir() or not (copy / Path(sys.executable).name).is_file():
        raise OSError(f"{copy}: no whole copy of the program")


def _replace(prefix: Path, copy: Path) -> None:
    """The program's files by those of a copy. Raises OSError."""
    prefix.mkdir(exist_ok=True)
    name = Path(sys.executable).name
    if (prefix / "_internal").exists():
        shutil.rmtree(prefix / "_internal")
    shutil.copytree(copy / "_internal", prefix / "_internal")
    shutil.copy2(copy / name, prefix / name)


def _run(call: str | list[str]) -> None:
    """Raises OSError: it did not end, or not well."""
    environ = {**os.environ, UPDATING: "1"}
    try:
        done = subprocess.run(  # noqa: S603 - a setup that was checked, or our own program
            call, env=environ, check=False, timeout=_SETUP_S,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OSError(str(error)) from error
    if done.returncode:
        raise OSError(f"{call}: {done.returncode}")


def _pause() -> None:
    time.sleep(0.1)


@contextlib.contextmanager
def _logging_into(file: Path) -> Iterator[None]:
    """A service has no screen."""
    fresh = not file.exists() or file.stat().st_size > _LOG_BYTES
    stream = file.open("w" if fresh else "a", encoding="utf-8", buffering=1)
    with stream, contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        log.configure("INFO")
        yield


if __name__ == "__main__":
    sys.exit(main())

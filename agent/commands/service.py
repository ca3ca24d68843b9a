"""`schoolpulse-agent service`: started by Windows, not by people."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from agent import config as settings
from agent.common import log
from agent.common.command_line import FAILED, RefusedError, config_argument
from agent.common.defer import defer
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.service import words as service_words
from agent.service.datafiles import LOG, OLD_LOG

_LOG_BYTES = 2_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are."""
    config_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run as the service until Windows stops it."""
    if sys.platform != "win32":
        raise RefusedError(say("只在 Windows 上；这里用 run", "Windows only; use run here"))
    from agent.resident.process import Control
    from agent.service import serve_windows
    from agent.windows import advapi

    control = Control()

    def body(up: Callable[[], None]) -> int:
        control.up = up
        return _resident(args.config, control)

    with _logging_into(folder(args.config)):
        try:
            return serve_windows.serve(body, control.stop)
        except advapi.ServiceError as error:
            log.error("service", reason=error)
            fix = service_words.fix(error.code)
            raise RefusedError(say(f"{error}；{fix}", f"{error}; {fix}")) from error


def folder(path: str | None) -> Path:
    """The folder of the service's log: unreadable settings are reported there, once it runs.

    A service that ended before it answered its manager would be an error 1053 without a reason.
    """
    try:
        return settings.load(path, need_school=False)[0].folder
    except SettingsError:
        return settings.default_folder()


def _resident(path: str | None, control: object) -> int:
    defer("urllib.request")  # before paho asks for it; in the resident process only
    from agent.resident import process as resident

    assert isinstance(control, resident.Control)
    try:
        return resident.run(path, control)
    except (RefusedError, SettingsError) as error:
        log.error("refused", reason=error)
        return FAILED


@contextlib.contextmanager
def _logging_into(folder: Path) -> Iterator[None]:
    """A service has no screen: its output goes to a file, started anew when it is long."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / LOG
    if file.exists() and file.stat().st_size > _LOG_BYTES:
        file.replace(folder / OLD_LOG)
    # Left open to the end of the process: threads may still log.
    stream = file.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        log.configure("INFO")
        yield

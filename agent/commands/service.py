"""`schoolpulse-agent service`: what Windows starts; nobody types it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent import config as settings
from agent.defer import defer
from agent.log import configure
from agent.wire.command_line import FAILED, RefusedError
from agent.wire.lang import say
from agent.wire.settings import SettingsError

LOG, OLD_LOG = "agent.log", "agent.old.log"
_LOG_BYTES = 2_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are."""
    parser.add_argument("--config", metavar="FILE", help=say("配置文件", "the config file"))


def run(args: argparse.Namespace) -> int:
    """Be the service until Windows stops it."""
    if sys.platform != "win32":
        raise RefusedError(say("只在 Windows 上；这里用 run", "on Windows only; here, use run"))
    from agent import service_windows
    from agent.resident import Told

    folder = settings.load(args.config, need_school=False)[0].folder
    _speak_into(folder)
    told = Told()
    return service_windows.serve(lambda: _resident(args.config, told), told.stop)


def _resident(path: str | None, told: object) -> int:
    defer("urllib.request")  # before paho asks for it; in the resident process only
    from agent import resident

    assert isinstance(told, resident.Told)
    try:
        return resident.run(path, told)
    except (RefusedError, SettingsError) as error:
        print(error, file=sys.stderr, flush=True)
        return FAILED


def _speak_into(folder: Path) -> None:
    """A service has no screen: what it says goes to a file, begun anew where it is long."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(folder / OLD_LOG)
    sys.stdout = sys.stderr = log.open("a", encoding="utf-8", buffering=1)
    configure()

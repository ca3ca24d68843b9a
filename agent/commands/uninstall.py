"""`schoolpulse-agent uninstall`: remove the service; with --purge data and settings too."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent import config as settings
from agent import service
from agent.commands.config_file import cannot
from agent.common import secret_files
from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import say
from agent.common.lock import agent_lock
from agent.common.settings import SettingsError
from agent.service import bundle, datafiles, place, update_units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether data and settings are deleted too."""
    text = say(
        "数据和配置也删除：未送达的报告会丢",
        "delete data and settings too; unsent reports are lost",
    )
    parser.add_argument("--purge", action="store_true", help=text)
    config_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Stop and remove it."""
    folder = _folder(args.config) if args.purge else None
    try:
        there = service.uninstall()
        if folder is not None:
            _purge(folder)
    except (OSError, service.Refused) as error:
        raise RefusedError(cannot(say("卸不掉", "cannot uninstall"), error)) from error
    gone = say("服务已卸载", "service removed")
    print(gone if there else say("没有服务", "no service found"))
    return DONE


def _folder(path: str | None) -> Path:
    """Where the data is; the default folder where the default settings cannot be read."""
    try:
        return settings.load(path, need_school=False)[0].folder
    except SettingsError as error:
        if path:
            raise
        folder = settings.default_folder()
        instead = say(f"按默认的数据目录 {folder}", f"using the default data folder {folder}")
        print(f"{error}: {instead}", file=sys.stderr)
        return folder


def _purge(folder: Path) -> None:
    if folder.exists():
        with agent_lock(folder):  # a running agent would write it all again
            pass
    beside = settings.DEFAULT_FILE.parent
    local = (secret.file for secret in secret_files.LOCAL)
    names = {bundle.ROOMS, *secret_files.agent_files(), *local}
    if place.citys(beside):
        names.discard(secret_files.CA)
    datafiles.purge(folder, *(beside / name for name in sorted(names)))
    if sys.platform == "win32":
        from agent.service import update_windows

        update_windows.purge()
    else:
        update_units.purge()

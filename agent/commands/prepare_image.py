"""`schoolpulse-agent prepare-image`: clear this PC's identity before its disk is imaged.

The service is stopped, and the outbox, the status and the logs are deleted. Settings and the
service stay, so that every clone gets an id of its own at its first start. Without this a clone
would set the original PC's outbox aside by itself, but keep the file.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent import identity, service
from agent.commands.config_file import cannot, load_config
from agent.commands.outbox import look
from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import counted, say
from agent.common.lock import agent_lock
from agent.config import Config
from agent.outbox import open_readonly
from agent.service import datafiles

ROOT = Path("/")  # below it the privileged helper leaves the hardware's digests


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are, and whether unsent reports may be lost."""
    config_argument(parser)
    text = say("还没有送达的报告也丢掉", "delete unsent reports too")
    parser.add_argument("--discard", action="store_true", help=text)


def run(args: argparse.Namespace) -> int:
    """Stop the service, and delete everything that belongs to this PC alone."""
    config = load_config(args)
    erased = clear(config, discard=args.discard)
    print(
        say(
            f"已清空：{erased} 个文件（{config.folder}）",
            f"cleared: {counted(erased, 'file')} ({config.folder})",
        )
    )
    print("\n".join(_hints(config)))
    return DONE


def clear(config: Config, *, discard: bool) -> int:
    """Stop the service and delete the state; how many files there were.

    Raises:
        RefusedError: reports wait to be sent, and must not be discarded; or the system refuses.
    """
    if not discard:
        _refuse_if_waiting(config.folder)
    try:
        return _prepare(config, discard)
    except (OSError, service.Refused) as error:
        raise RefusedError(cannot(say("做不了", "cannot prepare"), error)) from error


def _prepare(config: Config, discard: bool) -> int:
    """How many files were deleted; where that fails, the service starts again."""
    there = service.stop()
    try:
        if not config.folder.exists():
            return 0
        with agent_lock(config.folder):
            if not discard:
                _refuse_if_waiting(config.folder)
            (ROOT / identity.HARDWARE_FILE).unlink(missing_ok=True)
            return datafiles.erase(config.folder)
    except (RefusedError, OSError):
        if there:
            service.start()
        raise


def _refuse_if_waiting(folder: Path) -> None:
    """Raise RefusedError where reports would be lost, or may be."""
    found = _found(folder / "outbox.db")
    if found.get("waiting"):
        count, evidence = found["waiting"], found["evidence"]
        raise RefusedError(
            say(
                f"还有 {count} 份报告没有送达，其中证据 {evidence} 份：连上网等 outbox 显示 0，"
                "再来一次；不要它们就加 --discard",
                f"{count} reports are unsent, {evidence} of them evidence: stay connected until"
                " outbox shows 0 and run this again, or use --discard to delete them",
            )
        )


def _found(path: Path) -> dict[str, Any]:
    """What the outbox holds. A damaged one may still hold reports: the agent can save most."""
    if not path.exists():
        return {}
    try:
        with contextlib.closing(open_readonly(path)) as db:
            return look(db)
    except sqlite3.Error as error:
        raise RefusedError(
            say(
                f"{path} 读不了（{error}），里面可能还有报告：让代理运行起来，它会修复，再来一次；"
                "不要它们就加 --discard",
                f"{path}: cannot read it ({error}); it may hold reports: let the agent run, which"
                " repairs it, then run this again, or use --discard to delete them",
            )
        ) from error


def _hints(config: Config) -> Iterator[str]:
    yield say(
        "现在关机做镜像；在此之前再开机，代理会重新运行，就要再来一次。克隆出来的电脑开机后各自开始。",
        "now shut down and take the image. If the PC is started before that, the agent runs again:"
        " repeat this command. Each clone gets its own identity when it starts.",
    )
    if config.room:
        yield say(
            f"注意：配置里有 room = {config.room!r}，每台克隆都会自称在那里；请去掉，"
            "改在台账的 machines 里登记",
            f"note: the settings have room = {config.room!r}, which every clone would claim; remove"
            " it, and enter the PCs in the register's sheet `machines`",
        )
    if identity.identify().weak:
        yield say(
            "注意：这台电脑的固件没有可用的编号，标识来自会被克隆的系统编号。"
            "Windows 请用 sysprep /generalize，Linux 请清空 /etc/machine-id",
            "note: this PC's firmware has no usable id, so the system's id is used, which is cloned"
            " too: use sysprep /generalize on Windows, empty /etc/machine-id on Linux",
        )

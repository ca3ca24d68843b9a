"""`schoolpulse restore`: a backup put back, here or on another machine, and what it lacks."""

from __future__ import annotations

import argparse
import datetime as dt
from contextlib import closing
from pathlib import Path

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, config_argument
from agent.common.language import counted, say
from collector.backup.container import Reader
from collector.backup.losses import losses
from collector.backup.planning import Plan, Wish, plan
from collector.backup.restoring import restore
from collector.commands import passphrase
from collector.commands.backup import grafana_arguments, grafana_of, refusals, told_faults
from collector.commands.progress import Bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    text = say("备份文件", "the backup file")
    parser.add_argument("file", metavar="FILE", type=Path, help=text)
    text = say(
        "数据目录（默认同备份时；已有设置则照设置）",
        "data folder (default: as it was; where settings are there already, theirs)",
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help=text)
    text = say(
        "取代已有的数据和设置；原有的移到旁边",
        "replace data and settings that are there; they are set aside",
    )
    parser.add_argument("--replace", action="store_true", help=text)
    text = say("只说会做什么", "only say what would be done")
    parser.add_argument("--dry-run", action="store_true", help=text)
    passphrase.passphrase_argument(parser)
    text = say("不恢复加密的部分", "do not restore what is encrypted")
    parser.add_argument("--without-secrets", action="store_true", help=text)
    grafana_arguments(parser)
    config_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Restore; 1 where the file is damaged, and nothing was written then."""
    with refusals(), closing(Reader(args.file)) as reader:
        return _restore(args, reader)


def _restore(args: argparse.Namespace, reader: Reader) -> int:
    wish = Wish(Path(args.config) if args.config else None, args.data, args.replace)
    planned = plan(reader.manifest, wish)
    if told_faults(reader.faults(), args.file):
        return FAILED
    sealer = None
    if reader.manifest.key and not args.without_secrets:
        sealer = reader.unlock(passphrase.known(args.passphrase_file))
    boards = 0
    if args.dry_run:
        print(say("只预演，什么也没有写", "a dry run, nothing was written"))
    else:
        grafana = grafana_of(args)
        with Bar() as shown:
            restore(reader, planned, sealer, shown)
        if grafana:
            from collector.backup import boards as grafanas

            parts = reader.manifest.kind("board")
            boards = grafanas.put(grafana, (b"".join(reader.chunks(part)) for part in parts))
    _told(reader, planned, unlocked=bool(sealer), boards=boards)
    return DONE


def _told(reader: Reader, planned: Plan, *, unlocked: bool, boards: int) -> None:
    manifest = reader.manifest
    count = sum(manifest.rows.values())
    print(
        say(
            f"数据在 {planned.data}，设置 {planned.settings}；数据库 {count} 行"
            + (f"；看板 {boards} 个" if boards else ""),
            f"data in {planned.data}, settings {planned.settings}; {counted(count, 'row')} of "
            "the store" + (f"; {counted(boards, 'board')}" if boards else ""),
        )
    )
    print(say("没有恢复的：", "what does not come back:"))
    now = dt.datetime.now(CITY_TIME)
    for loss in losses(manifest, planned, now, unlocked=unlocked, boards=bool(boards)):
        print(f"  {loss}")
    print(
        say(
            "下一步：启动服务（它会向电脑要回近几天的线路测试），再运行 schoolpulse doctor；"
            "换了机器的，把 DNS 指过来",
            "next: start the services (they ask the PCs for the last days' line tests), run "
            "schoolpulse doctor; on another machine, let DNS point to it",
        )
    )

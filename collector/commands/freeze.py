"""`schoolpulse freeze`: a year's figure, with all it is made of, as one archive."""

from __future__ import annotations

import argparse
import datetime as dt

import msgspec

from agent.common import printable
from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, json_argument
from agent.common.language import say
from agent.common.output import print_json
from collector import config
from collector.archive import wording
from collector.archive.checking import STAGES
from collector.archive.errors import ArchiveError
from collector.archive.freezing import Done, freeze
from collector.commands.progress import Progress
from collector.report import gather
from collector.report.json import encode
from collector.roster.book import RegisterBook
from collector.store.base import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    gather.add_arguments(parser)
    json_argument(parser)
    parser.add_argument(
        "--reason",
        metavar="TEXT",
        default="",
        help=say(
            "更正已冻结的年度：原因，写进新的一版",
            "correct a frozen year: why; kept in the new revision",
        ),
    )


def run(args: argparse.Namespace) -> int:
    """Judge, write, read back, and print the root hash; 2 where it is refused."""
    try:
        done = _freeze(args)
    except StoreError as error:
        gather.warn(gather.store_failed(error))
        return FAILED
    except OSError as error:
        gather.warn(say(f"写不出存档：{error}", f"cannot write the archive: {error}"))
        return FAILED
    if args.json:
        print_json(encode(_tree(done)).decode().rstrip())
    else:
        print(printable.lines(_lines(done)))
    return DONE


def _freeze(args: argparse.Namespace) -> Done:
    settings, _ = config.load(args.config)
    now = dt.datetime.now(dt.UTC)
    with Progress(steps=STAGES + 2) as progress:
        progress.step(say("读取依据并计算", "evidence and judging"))
        figure, evidence = gather.with_evidence(args)
        _refuse_early(figure.cutoff, now.astimezone(CITY_TIME).date())
        imports = RegisterBook(settings.folder / "register.db").history()
        return freeze(
            figure,
            evidence,
            imports,
            settings.archive_folder,
            now=now,
            reason=args.reason.strip(),
            tell=progress.step,
        )


def _refuse_early(cutoff: dt.date, today: dt.date) -> None:
    """A day that is not over still gets evidence."""
    if cutoff < today:
        return
    raise ArchiveError(
        say(
            f"截止日 {cutoff} 还没有过完，不能冻结；等到次日，或用 --cutoff 指定已过去的一天",
            f"the cut-off {cutoff} is not over, so it cannot be frozen: wait until the next day, "
            "or give a day that is over with --cutoff",
        )
    )


def _lines(done: Done) -> list[str]:
    row = done.summary
    mark = say("▒▒▒ 模拟数据 ▒▒▒ ", "▒▒▒ SIMULATED ▒▒▒ ") if row.simulated else ""
    lines = [
        say(
            f"{mark}已冻结 {row.city_name} {row.year} 年，第 {row.revision} 版，"
            f"截止日 {row.cutoff}：{done.path}",
            f"{mark}frozen: {row.city_name} {row.year}, revision {row.revision}, "
            f"cut-off {row.cutoff}: {done.path}",
        ),
        say(f"根哈希 {row.root}", f"root hash {row.root}"),
    ]
    if row.before:
        lines += [say("与上一版相比：", "Compared with the revision before:")]
        lines += wording.verdicts(done.changes)
    return [*lines, *wording.left(done.left), *wording.late(done.late)]


def _tree(done: Done) -> wording.Tree:
    row = done.summary
    return {
        "file": str(done.path),
        "root": row.root,
        "year": row.year,
        "revision": row.revision,
        "cutoff": row.cutoff.isoformat(),
        "simulated": row.simulated,
        **wording.rows(done.changes, done.left),
        "late": msgspec.to_builtins(done.late),
    }

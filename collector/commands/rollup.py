"""`schoolpulse rollup`: the frozen archives of several cities or counties as one figure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.common import printable
from agent.common.command_line import DONE, FAILED, RefusedError, json_argument
from agent.common.language import say
from agent.common.output import print_json
from collector.archive import results, rollup
from collector.archive.checking import check
from collector.archive.errors import DamagedError
from collector.archive.opened import no_archive
from collector.archive.parts import Part, added, remarks
from collector.archive.summary import FrozenYear
from collector.commands.progress import Progress
from collector.compliance.model import Figure
from collector.report import gather, terminal
from collector.report.json import encode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "archives", metavar="ARCHIVE", nargs="+", type=Path, help=say("存档", "archives")
    )
    json_argument(parser)
    parser.add_argument(
        "--name", default=say("合计", "total"), help=say("合计的名称", "the name of the sum")
    )
    parser.add_argument(
        "--code", default="total", help=say("合计的区划代码", "the area code of the sum")
    )
    parser.add_argument(
        "--out",
        metavar="FILE.zip",
        type=Path,
        help=say("把合计写成存档", "keep the sum as an archive"),
    )
    gather.simulated_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Add, print, and keep; 2 where the archives cannot be added."""
    _refuse_existing(args.out)
    with Progress(steps=len(args.archives)) as progress:
        parts = [_part(path, progress.step) for path in args.archives]
    figure = added(parts, args.code, args.name)
    if figure.simulated and not args.simulated:
        raise RefusedError(_invented(parts))
    try:
        kept = rollup.write(figure, parts, args.out) if args.out else None
    except OSError as error:
        text = say(f"写不出存档：{error}", f"cannot write the archive: {error}")
        print(text, file=sys.stderr)
        return FAILED
    if args.json:
        print_json(encode(_tree(figure, parts, kept)).decode().rstrip())
    else:
        _print(figure, parts, kept)
    return DONE


def _part(path: Path, tell: Callable[[str], None]) -> Part:
    """An archive, after its figure was made again from it: numbers can be rewritten with care."""
    tell(path.name)
    faults = check(path).faults
    if faults:
        raise DamagedError(no_archive(path, "; ".join(faults)))
    return rollup.part(path)


def _refuse_existing(path: Path | None) -> None:
    if path is not None and path.exists():
        raise RefusedError(
            say(
                f"{path} 已存在；存档不会被覆盖，另取一个名字",
                f"{path} exists; archives are not overwritten: choose another name",
            )
        )


def _invented(parts: Sequence[Part]) -> str:
    names = ", ".join(part.summary.file for part in parts if part.summary.simulated)
    return say(
        f"有模拟数据的存档：{names}；演示请加 --simulated，所有输出将带水印",
        f"archives of simulated data: {names}; with --simulated every output is watermarked",
    )


def _print(figure: Figure, parts: Sequence[Part], kept: FrozenYear | None) -> None:
    terminal.show(figure, sys.stdout)
    for part in parts:
        row = part.summary
        name = printable.shown(row.city_name)
        print(
            say(
                f"{name}：第 {row.revision} 版，截止日 {row.cutoff}，根哈希 {row.root}",
                f"{name}: revision {row.revision}, cut-off {row.cutoff}, root hash {row.root}",
            )
        )
    for text in remarks(parts):
        print(printable.shown(say(f"注意：{text}", f"Note: {text}"), None))
    if kept:
        print(say(f"写成 {kept.file}，根哈希 {kept.root}", f"{kept.file}: root hash {kept.root}"))


def _tree(figure: Figure, parts: Sequence[Part], kept: FrozenYear | None) -> dict[str, object]:
    tree = results.numbers(figure)
    tree["parts"] = [
        {"city": row.city, "name": row.city_name, "file": row.file, "root": row.root}
        for row in (part.summary for part in parts)
    ]
    tree["remarks"] = list(remarks(parts))
    tree["root"] = kept.root if kept else None
    return tree

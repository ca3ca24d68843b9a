"""`schoolpulse verify`: is an archive what was signed? The archive alone is needed."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from agent.common import printable
from agent.common.command_line import DONE, FAILED, RefusedError, json_argument
from agent.common.language import say
from agent.common.output import print_json
from collector.archive.checking import STAGES, Checked, check
from collector.archive.freezing import hash_file
from collector.archive.summary import FrozenYear
from collector.commands.progress import Progress
from collector.report.json import encode

_HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", type=Path, help=say("存档", "the archive"))
    json_argument(parser)
    parser.add_argument(
        "--root",
        metavar="HASH",
        default="",
        help=say(
            "签字的报告上印的根哈希：存档是不是那一份",
            "the root hash that the signed report prints: is this that archive?",
        ),
    )


def run(args: argparse.Namespace) -> int:
    """Check and say what was found; 1 where a byte or a verdict is not as it was."""
    if args.root and not _HASH.fullmatch(args.root):
        wrong = say("根哈希是 64 位十六进制数", "a root hash has 64 hexadecimal digits")
        raise RefusedError(f"--root {args.root}: {wrong}")
    beside = "" if args.root else _beside(args.archive)
    with Progress(steps=STAGES) as progress:
        checked = check(args.archive, args.root or beside, progress.step)
    if args.json:
        print_json(encode(_tree(checked)).decode().rstrip())
    else:
        print(printable.lines(_lines(args, checked)))
        if beside and checked.faults:
            name = hash_file(args.archive).name
            print(say(f"（根哈希取自 {name}）", f"(the root hash is that of {name})"))
    return FAILED if checked.faults else DONE


def _beside(path: Path) -> str:
    """The root hash in the file beside the archive; empty where there is none."""
    try:
        found = _HASH.match(hash_file(path).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return ""
    return found[0] if found else ""


def _lines(args: argparse.Namespace, checked: Checked) -> list[str]:
    if checked.faults:
        head = say(f"{args.archive}: 不是原样", f"{args.archive}: not as it was frozen")
        return [head, *(f"  {fault}" for fault in checked.faults)]
    row = checked.summary
    assert row is not None
    lines = [
        say(
            "每个字节都是原样；重新计算，每个结论和数都相同。",
            "Every byte is as it was; made again, every verdict and number is the same.",
        ),
        _named(row),
        say(f"根哈希 {row.root}", f"root hash {row.root}"),
    ]
    if not args.root:
        lines.append(
            say(
                "请与签字的报告上印的根哈希对照（--root）：一致才是签字时的那一份",
                "Compare it with the one that the signed report prints (--root): only then is this "
                "what was signed",
            )
        )
    return lines


def _named(row: FrozenYear) -> str:
    mark = say("▒▒▒ 模拟数据 ▒▒▒ ", "▒▒▒ SIMULATED ▒▒▒ ") if row.simulated else ""
    return say(
        f"{mark}{row.city_name} {row.year} 年，第 {row.revision} 版，截止日 {row.cutoff}，"
        f"SchoolPulse {row.version}，方法 {row.method}",
        f"{mark}{row.city_name} {row.year}, revision {row.revision}, cut-off {row.cutoff}, "
        f"SchoolPulse {row.version}, method {row.method}",
    )


def _tree(checked: Checked) -> dict[str, object]:
    row = checked.summary
    return {
        "sound": not checked.faults,
        "faults": checked.faults,
        "root": row.root if row else None,
        "year": row.year if row else None,
        "revision": row.revision if row else None,
        "city": row.city if row else None,
        "simulated": row.simulated if row else None,
    }

"""What several sub-commands share: arguments, the refusal of sheets with errors, counts."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.common.command_line import DONE, FAILED
from agent.common.language import say
from collector.commands.tables import as_json, print_json, print_problems
from collector.roster.sheets import SHEETS, Problem, book_name

if TYPE_CHECKING:  # argparse has no public name for what add_subparsers returns
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Actions = object


def folder_argument(parser: argparse.ArgumentParser) -> None:
    """The workbook or the folder that holds the sheets, as `folder`."""
    text = say("工作簿（.xlsx），或放着各表的文件夹", "a workbook (.xlsx), or a folder of sheets")
    parser.add_argument("folder", metavar="PATH", type=Path, help=text)


def out_argument(parser: argparse.ArgumentParser) -> None:
    """Where files are written, as `out`."""
    text = say(
        "写成哪个 .xlsx 文件，或写到哪个文件夹（CSV）", "the .xlsx file, or the folder for CSV"
    )
    parser.add_argument("--out", metavar="PATH", required=True, help=text)


def dry_run_argument(parser: argparse.ArgumentParser) -> None:
    """Whether nothing is to be changed, as `dry_run`."""
    text = say("只逐行说会改什么，不改", "name every row that would change, change nothing")
    parser.add_argument("--dry-run", action="store_true", help=text)


def who_argument(parser: argparse.ArgumentParser) -> None:
    """Who does it, for the history, as `who`."""
    text = say("由谁导入，记入历史（默认系统用户）", "who does it (default: the system user)")
    parser.add_argument("--who", default="", help=text)


def book_or_csv_arguments(parser: argparse.ArgumentParser) -> None:
    """Where a workbook is written, as `out`, or CSV files instead, as `csv`."""
    text = say("写成哪个 .xlsx 文件，或写到哪个文件夹", "the .xlsx file, or the output folder")
    parser.add_argument("--out", metavar="PATH", type=Path, required=True, help=text)
    text = say("写成 CSV，一张表一个文件", "write CSV, one file a sheet")
    parser.add_argument("--csv", action="store_true", help=text)


def book_path(out: Path) -> Path:
    """The workbook that `--out` names: itself, or one in that folder."""
    return out if is_book(out) else out / book_name()


def is_book(out: Path) -> bool:
    """Whether `--out` names a workbook, not a folder."""
    return out.suffix.lower() == ".xlsx"


def written(files: Sequence[Path]) -> int:
    """Name the files that were written."""
    for file in files:
        print(file)
    return DONE


def refuse(args: argparse.Namespace, problems: Sequence[Problem], conclusion: str) -> int:
    """Show the problems of sheets that cannot be imported."""
    if args.json:
        print_json(as_json(problems))
    else:
        print_problems(problems)
        print(conclusion)
    return FAILED


def counts_text(counts: Mapping[str, int]) -> str:
    """The rows of each sheet in words."""
    parts = (f"{SHEETS[name].title} {count}" for name, count in counts.items() if name in SHEETS)
    return say("，", ", ").join(parts)

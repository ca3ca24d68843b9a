"""`schoolpulse roster history`: all imports."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, config_argument, json_argument
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster.shared import Actions
from collector.commands.tables import new_table, print_json, print_table
from collector.roster.book import Import
from collector.roster.sheets import SHEETS


def add(actions: Actions) -> None:
    """Register the sub-command."""
    parser = actions.add_parser("history", help=say("列出历次导入", "list all imports"))
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    imports = register_book(args).history()
    if args.json:
        print_json([_import_json(made) for made in imports])
        return DONE
    titles = (("次", "no."), ("时间", "time"), ("导入人", "who"), ("来自", "from"))
    more = (("学校", "schools"), ("总行数", "rows"), ("说明", "note"), ("SHA-256", "SHA-256"))
    table = new_table(*titles, *more)
    for made in imports:
        at = made.at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M")
        schools, rows = made.counts.get("schools", 0), sum(made.counts.values())
        numbers = (f"{schools}", f"{rows}", _note(made))
        source = Path(made.source).name  # whole in --json
        table.add_row(f"{made.number}", at, made.who, source, *numbers, made.sha256[:8])
    print_table(table)
    return DONE


def _note(made: Import) -> str:
    """What is special about an import: an undo, or limited to schools or sheets."""
    if made.restores:
        return say(f"恢复第 {made.restores} 次", f"undo: number {made.restores} again")
    sheets = [
        SHEETS[name].title if name in SHEETS else name for name in made.part.get("sheets", ())
    ]
    limits = say("、", ", ").join([*made.part.get("schools", ()), *sheets])
    return say(f"部分：{limits}", f"part: {limits}") if limits else ""


def _import_json(made: Import) -> dict[str, object]:
    return {**asdict(made), "at": made.at.isoformat()}

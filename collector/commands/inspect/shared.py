"""What several sub-commands share: arguments, and a record in words."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from agent.common.calendar import CITY_TIME
from agent.common.command_line import config_argument, json_argument
from agent.common.language import say
from agent.common.vocabulary.indicators import SHORT
from agent.common.vocabulary.thresholds import label
from collector.commands.tables import new_table, print_table
from collector.roster.register import Inspection, Register

if TYPE_CHECKING:  # argparse has no public name for what add_subparsers returns
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Actions = object


def common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    """The arguments of every sub-command."""
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=action)


def by_argument(parser: argparse.ArgumentParser) -> None:
    """Who enters it, as `by`."""
    text = say("登记人（默认系统用户）", "who enters it (default: the system user)")
    parser.add_argument("--by", metavar="NAME", default="", help=text)


def today() -> dt.date:
    """The city's day."""
    return dt.datetime.now(CITY_TIME).date()


def indicator(row: Inspection) -> str:
    """What was judged, and a line by which threshold."""
    words = SHORT.get(row.indicator)
    name = say(*words) if words else row.indicator
    return name if row.threshold_mbps is None else f"{name} {label(row.threshold_mbps)}"


def found(row: Inspection) -> str:
    """The answer in words."""
    return say("是", "yes") if row.found else say("否", "no")


def state(row: Inspection) -> str:
    """Whether it counts: replaced by, void since and why, or what it replaces."""
    if row.voided:
        day = row.voided.astimezone(CITY_TIME).strftime("%Y-%m-%d")
        return say(
            f"{day} 由 {row.voided_by} 作废：{row.void}", f"void {day}, {row.voided_by}: {row.void}"
        )
    return say(f"替代 {row.replaces}", f"replaces {row.replaces}") if row.replaces else ""


def entered(row: Inspection) -> str:
    """When and by whom it was entered."""
    at = row.entered.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M") if row.entered else ""
    return f"{at} {row.entered_by}".strip()


def print_rows(rows: Sequence[Inspection], register: Register) -> None:
    """The records as a table, void ones too."""
    table = new_table(
        ("编号", "id"), ("学校", "school"), ("指标、结果", "of, result"),
        ("日期、核查员", "day, by"), ("备注", "note"), ("登记、状态", "entered, state"),
    )  # fmt: skip
    for at, least in ((0, 6), (1, 10), (3, 10), (5, 10)):  # ids, codes and days stay whole
        table.columns[at].min_width = least
    for row in rows:
        school = register.schools.get(row.school)
        name = f"{row.school}\n{school.name}" if school else row.school
        note = "\n".join(filter(None, (row.note, row.file)))
        result = say("符合", "as asked") if row.found else say("不符合", "not so")
        judged = "\n".join(filter(None, (indicator(row), row.unit, result)))
        visit = f"{row.day}\n{row.inspector}"
        told = "\n".join(filter(None, (entered(row), state(row))))
        table.add_row(row.id, name, judged, visit, note, told)
    print_table(table)


def as_json(rows: Sequence[Inspection]) -> list[dict[str, object]]:
    """The records for programs; times in UTC."""
    return [
        {name: value.isoformat() if isinstance(value, dt.date) else value
         for name, value in asdict(row).items()}
        for row in rows
    ]  # fmt: skip

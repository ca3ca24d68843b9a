"""`schoolpulse status`: how each registered school stands, the worst first, and what to do."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import counted, say
from agent.common.vocabulary.standing import STATES
from agent.common.vocabulary.words import word
from collector import status
from collector.commands import listing
from collector.commands.config_file import load_config
from collector.commands.stock import unreadable
from collector.commands.tables import print_json
from collector.status import words
from collector.status.model import Standing
from collector.store.base import StoreError

_SHEET: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("name", "名称", "name"), ("district", "区县", "district"),
    ("state", "状态", "state"), ("last_ms", "最近上报", "last report"), ("pcs", "电脑", "PCs"),
    ("found", "问题", "problems"), ("fix", "办法", "what to do"),
)  # fmt: skip
_TABLE: tuple[listing.Heading, ...] = (
    ("place", "学校", "school"),
    ("found", "状态", "state"),
    ("fix", "办法", "what to do"),
)
#: Days that are derived are at most so old while a keeper runs.
_BEHIND_MS = 2 * 3_600_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The schools, and the form."""
    text = say(
        "只列有问题的学校；有问题则退出码为 1", "only schools with a problem; exit code 1 on any"
    )
    parser.add_argument("--problems", action="store_true", help=text)
    listing.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """List them; with --problems 1 where something is wrong."""
    city = _read(args)
    rows = city.problems if args.problems else city.schools
    if args.json:
        told = [_row(row) for row in rows]
        print_json({"now_ms": city.now_ms, "as_of_ms": city.as_of_ms, "counts": city.counts,
                    "schools": told})  # fmt: skip
    else:
        if not args.csv:
            print(_summary(city))
        sheet, table = listing.View(_SHEET, _said), listing.View(_TABLE, _said)
        if rows or args.csv:
            listing.show(args, [_row(row) for row in rows], sheet, table)
    return FAILED if args.problems and city.problems else DONE


def _read(args: argparse.Namespace) -> status.City:
    """The city, or the one school that was asked for."""
    try:
        city = status.read(load_config(args))
    except StoreError as error:
        raise unreadable(error) from error
    if not args.school:
        return city
    one = tuple(row for row in city.schools if row.school == args.school)
    if not one:
        raise RefusedError(
            say(
                f"台账里没有在办的学校 {args.school}；核对 10 位学校标识码",
                f"no open school {args.school} in the register; check the 10-digit code",
            )
        )
    return city._replace(schools=one)


def _summary(city: status.City) -> str:
    counts = (f"{word(STATES, code)} {count}" for code, count in reversed(city.counts.items()))
    total = say(f"{len(city.schools)} 所学校", counted(len(city.schools), "school"))
    text = f"{total}{say('：', ': ')}{say('，', ', ').join(counts)}" if city.schools else total
    if city.as_of_ms is None or city.now_ms - city.as_of_ms <= _BEHIND_MS:
        return text
    at = listing.moment(city.as_of_ms)
    return text + say(
        f"\n各日只推导到 {at}：schoolpulse collect 在运行吗？",
        f"\ndays are derived up to {at} only: does schoolpulse collect run?",
    )


def _row(row: Standing) -> listing.Row:
    """Codes alone, as JSON has them."""
    return {**row._asdict(), "findings": [finding._asdict() for finding in row.findings]}


def _said(row: listing.Row) -> listing.Row:
    school = Standing.of(row)
    return {
        **row,
        "place": listing.below(row["school"], row["name"]),
        "state": word(STATES, school.state),
        "found": listing.below(*(words.problems(school) or [word(STATES, school.state)])),
        "fix": listing.below(*words.fixes(school)),
    }

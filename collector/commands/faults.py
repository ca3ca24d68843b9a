"""`schoolpulse faults`: what is broken or gone now, and with --days what has happened."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE
from agent.common.language import say
from agent.common.vocabulary import devices as words
from agent.common.vocabulary import states
from agent.common.vocabulary.words import word
from collector.commands import device_words, listing
from collector.commands.stock import Opened, opened
from collector.inventory import devices, events
from collector.keeper.state import rule_for
from collector.store.base import Point

_EVENTS: tuple[listing.Heading, ...] = (
    ("time_ms", "时间", "time"), ("event", "事件", "event"), ("school", "学校", "school"),
    ("room", "教室", "room"), ("kind", "种类", "kind"), ("detail", "说明", "detail"),
    ("machine", "机器号", "machine"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The school, the form, and how far back."""
    listing.add_arguments(parser)
    text = say(
        "列出最近几天的事件，而不是现状", "list events of the last N days, not the current state"
    )
    parser.add_argument("--days", type=_days, metavar="N", help=text)


def _days(text: str) -> int:
    days = int(text) if text.isdecimal() else 0
    if not days:
        raise argparse.ArgumentTypeError(say("要填 1 以上的天数", "must be 1 or more"))
    return days


def run(args: argparse.Namespace) -> int:
    """Print what is broken or gone, or the events."""
    with opened(args) as at:
        if args.days:
            sheet, table = listing.View(_EVENTS, _said), listing.View(_EVENTS[:-1], _said)
            listing.show(args, _events(at, args.school, args.days), sheet, table)
            return DONE
        rule = rule_for(at.config.report_s)
        stock = devices.load(at.store, at.register, at.now_ms, args.school, rule)
    found = devices.faults(stock.devices)
    sheet = listing.View(device_words.FAULTS_SHEET, device_words.said)
    table = listing.View(device_words.FAULTS_TABLE, device_words.brief)
    rows = [device_words.row(one, last_known=True) for one in found]
    listing.show(args, rows, sheet, table)
    if not (args.json or args.csv):
        for line in device_words.fixes(rows):
            print(line)
    return DONE


def _events(at: Opened, school: str, days: int) -> list[listing.Row]:
    """The events, the newest first."""
    return [_event(point) for point in events.load(at.store, at.now_ms, days, school)]


def _event(point: Point) -> listing.Row:
    event, detail = (str(point.fields.get(name, "")) for name in ("event", "detail"))
    # Older versions stored sentences: for programs too, one fault has one code.
    detail = words.codes(detail)
    return {**point.tags, "event": event, "detail": detail, "time_ms": point.time // 10**6}


def _said(row: listing.Row) -> listing.Row:
    detail = str(row["detail"])
    return {
        **row,
        "event": word(states.EVENTS, str(row["event"])),
        "kind": words.kind(str(row["kind"])),
        "detail": words.fault(detail) if detail else "",
    }

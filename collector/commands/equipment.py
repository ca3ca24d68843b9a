"""`schoolpulse equipment`: what each room has, how it is, and how the register differs."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE
from agent.common.language import say
from agent.common.vocabulary import devices as words
from agent.common.vocabulary import states
from agent.common.vocabulary.words import word
from collector.commands import device_words, listing
from collector.commands.stock import Opened, opened
from collector.inventory import devices
from collector.inventory.differences import Difference, differences
from collector.keeper.state import rule_for

_DIFFERENCES: tuple[listing.Heading, ...] = (
    ("found", "差异", "difference"), ("school", "学校", "school"), ("room", "教室", "room"),
    ("kind", "种类", "kind"), ("number", "台数", "count"), ("detail", "现在位置", "now in"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The school, the form, and which of the two lists."""
    listing.add_arguments(parser)
    text = say("只列台账与实测的差异", "only list differences between register and reports")
    parser.add_argument("--differences", action="store_true", help=text)


def run(args: argparse.Namespace) -> int:
    """Print the devices, or the differences."""
    with opened(args) as at:
        rule = rule_for(at.config.report_s)
        stock = devices.load(at.store, at.register, at.now_ms, args.school, rule)
    if args.differences:
        apart = listing.View(_DIFFERENCES, _difference)
        listing.show(args, [row._asdict() for row in _found(at, stock, args)], apart, apart)
        return DONE
    sheet = listing.View(device_words.SHEET, device_words.said)
    table = listing.View(device_words.TABLE, device_words.brief)
    listing.show(args, [device_words.row(one) for one in stock.devices], sheet, table)
    if not (args.json or args.csv):
        print(_summary(at, stock, args))
    return DONE


def _found(at: Opened, stock: devices.Stock, args: argparse.Namespace) -> list[Difference]:
    return differences(stock, at.register, args.school)


def _difference(row: listing.Row) -> listing.Row:
    found = word(states.DIFFERENCES, str(row["found"]))
    return {**row, "found": found, "kind": words.kind(str(row["kind"]))}


def _summary(at: Opened, stock: devices.Stock, args: argparse.Namespace) -> str:
    missing = sum(one.state.presence == "missing" for one in stock.devices)
    broken = sum(one.state.working == "fault" for one in stock.devices)
    silent = sum(one.state.presence == "unknown" for one in stock.devices)
    count, apart = len(stock.devices), len(_found(at, stock, args))
    gone, unknown = states.PRESENCES["missing"], states.PRESENCES["unknown"]
    fault = states.WORKING["fault"]
    return say(
        f"共 {count} 台：{gone.zh} {missing}，{fault.zh} {broken}，"
        f"{unknown.zh}（电脑关机或未确认）{silent}；"
        f"与台账的差异 {apart} 项，--differences 列出",
        f"{count} devices: {missing} {gone.en}, {broken} {fault.en}, {silent} {unknown.en} "
        f"(PC off, or not confirmed); {apart} differences from the register, see --differences",
    )

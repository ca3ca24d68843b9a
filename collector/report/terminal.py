"""The figure on the terminal: what to do about it, and one table an indicator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from agent.common import output
from agent.common.help_text import wrapped
from agent.common.language import say
from agent.common.printable import shown as clean
from agent.common.vocabulary.indicators import SHORT_SHARES
from agent.common.vocabulary.verdicts import SHORT
from collector.compliance.model import Area, Figure, Indicator, Verdict
from collector.compliance.shares import shown
from collector.compliance.targets import goal, name, passed, remark, target
from collector.report import caveats, sentences
from collector.report.actions import plan
from collector.report.view import watermark

#: A pipe has no width; no table needs more.
_WIDTH = 140
_SHARES = ("target", "verified_share", "reported_share", "ceiling_share", "unknown_share")


def show(figure: Figure, out: TextIO) -> None:
    """Print what to do, the city and its districts, and the caveats."""
    own = output.own(out)
    console = Console(file=own, highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(file=own, highlight=False, emoji=False, width=_WIDTH)
    mark = watermark(figure)
    if mark:
        console.print(f"▒▒▒ {mark} ▒▒▒", style="bold reverse", markup=False)
    city = clean(figure.areas[0].name)
    title = say(
        f"{city} {figure.year} 年，截至 {figure.cutoff}",
        f"{city} {figure.year}, up to {figure.cutoff}",
    )
    console.print(title, style="bold", markup=False)
    if figure.units:  # a sum of archives has none, and so nothing to say of what to do
        _sentences(console, sentences.todo(plan(figure)))
    tables = [_table(figure, indicator) for indicator in figure.indicators]
    free = console.options.update(max_width=2 * _WIDTH)
    wide = all(Measurement.get(console, free, t).maximum <= console.width for t in tables)
    for indicator, table in zip(figure.indicators, tables, strict=True):
        console.print(_title(figure, indicator), style="bold", markup=False)
        console.print(table if wide else _table(figure, indicator, counts=False))
    if not wide:
        text = say(
            "终端不够宽，略去各类计数",
            "terminal too narrow: the counts of each verdict are left out",
        )
        console.print(text, style="dim", markup=False)
    _sentences(console, caveats.sentences(figure))
    if mark:
        console.print(f"▒▒▒ {mark} ▒▒▒", style="bold reverse", markup=False)


def _sentences(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        # rich breaks at spaces only, of which Chinese has few.
        console.print("\n".join(wrapped(clean(line, None), console.width)), markup=False)


def _title(figure: Figure, indicator: Indicator) -> str:
    """Not rich's: that is wrapped to the table, which may be narrower than the terminal."""
    note = remark(target(figure, indicator), figure.year)
    title = name(figure, indicator) + (say(f"（{note}）", f" ({note})") if note else "")
    return f"{title} {watermark(figure)}".rstrip()


def _table(figure: Figure, indicator: Indicator, *, counts: bool = True) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(say("区域", "area"), no_wrap=True)
    headings = [SHORT_SHARES[share] for share in _SHARES]
    headings += [SHORT[verdict] for verdict in Verdict if counts]
    for heading in headings:
        table.add_column(str(heading), justify="right", no_wrap=True)
    table.add_column(say("全部", "all"), justify="right", no_wrap=True)
    for area in figure.areas:
        if area.level != "school":
            _add(table, figure, indicator, area, counts)
    return table


def _add(table: Table, figure: Figure, indicator: Indicator, area: Area, counts: bool) -> None:
    tally = figure.tallies[area.code, indicator]
    row = target(figure, indicator)
    asked = goal(row)
    mark = {True: " ✓", False: " ✗", None: ""}[passed(tally.verified, row, figure.year)]
    table.add_row(
        Text(clean(area.name)),  # a name is no markup
        shown(asked),
        shown(tally.verified, asked) + mark,
        shown(tally.reported, asked),
        shown(tally.ceiling, asked),
        shown(tally.unknown),
        *(str(tally.counts[verdict]) for verdict in Verdict if counts),
        str(tally.all),
        style="bold" if area.level == "city" else None,
        end_section=area.level == "city",
    )

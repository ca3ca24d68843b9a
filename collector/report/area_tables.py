"""The tables of areas: shares and counts, the distance from the target, the trend. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.common.language import say
from agent.common.vocabulary import actions as vocabulary
from agent.common.vocabulary.indicators import SHARES
from agent.common.vocabulary.words import Words
from collector.compliance.model import Area, Figure, Indicator, Tally, Verdict
from collector.compliance.shares import shown_value
from collector.compliance.targets import goal, name, passed, remark, target
from collector.report import kinds
from collector.report.actions import Gap, Plan
from collector.report.context import Context, Tallies
from collector.report.tables import VERDICT_COUNTS, Cell, Column, Table, column

_SHARES = tuple(
    Column(Words(f"{SHARES[share].zh}（%）", f"{SHARES[share].en} (%)"), "share", 10)
    for share in ("target", "verified_share", "reported_share", "ceiling_share", "unknown_share")
)
_AREA = (column("代码", "code", "code", 12), column("区域", "area", "text", 20))
_INDICATOR = column("指标", "indicator", "text", 28)


def areas(figure: Figure, plan: Plan, key: str, title: Words, rows: Sequence[Area]) -> Table:
    """Shares and counts of some areas, one row an area and indicator."""
    columns = (
        *_AREA,
        _INDICATOR,
        *_SHARES,
        column("是否达标", "reached", "text", 16),
        column("还差", "to go", "count", 8),
        *VERDICT_COUNTS,
        column("全部", "all", "count", 8),
        column("登记接入带宽（%）", "by contract (%)", "share", 12),
        column("目标依据", "target's document", "text", 40),
    )
    return Table(key, title, columns, lambda: _area_rows(figure, plan, rows))


def summary(figure: Figure, plan: Plan) -> Table:
    """The report's own area."""
    return areas(figure, plan, "summary", Words("汇总", "Summary"), figure.areas[:1])


def districts(figure: Figure, plan: Plan) -> Table:
    """Every district in the report."""
    rows = [area for area in figure.areas if area.level == "district"]
    return areas(figure, plan, "districts", Words("区县", "Districts"), rows)


def _area_rows(figure: Figure, plan: Plan, rows: Sequence[Area]) -> Iterator[Sequence[Cell]]:
    for area in rows:
        for indicator in kinds.every(figure):
            tally = figure.tallies[area.code, indicator]
            contract = figure.contract.get(area.code) if indicator == "line" else None
            yield (
                area.code,
                area.name,
                name(figure, indicator),
                shown_value(goal(target(figure, indicator))),
                *_shares(figure, indicator, tally),
                reached(figure, indicator, tally),
                plan.gap(area, indicator).needed,
                *(tally.counts[verdict] for verdict in Verdict),
                tally.all,
                None if contract is None else shown_value(contract.reported),
                _document(figure, indicator),
            )


def _document(figure: Figure, indicator: Indicator) -> str | None:
    """The whole title of the document that asks for the share, and by when."""
    row = target(figure, indicator)
    if row is None:
        return None
    return say(f"{row.document}（{row.year} 年）", f"{row.document} ({row.year})")


def _shares(figure: Figure, indicator: Indicator, tally: Tally) -> Sequence[Cell]:
    asked = goal(target(figure, indicator))
    shares = (tally.verified, tally.reported, tally.ceiling)
    return (*(shown_value(share, asked) for share in shares), shown_value(tally.unknown))


def reached(figure: Figure, indicator: Indicator, tally: Tally) -> str:
    """Yes or no in the target's own year, else why it is neither."""
    row = target(figure, indicator)
    word = passed(tally.verified, row, figure.year)
    if word is None:
        return remark(row, figure.year) if tally.all else "—"
    return say("达标", "yes") if word else say("未达标", "no")


def gaps(plan: Plan) -> Table:
    """How far each area is from each target, and its cheapest way there."""
    columns = (
        *_AREA,
        _INDICATOR,
        column("还差", "to go", "count", 8),
        column("未落实", "open", "count", 8),
        column("先易后难（单位数）", "easiest first (units)", "long", 70),
    )
    return Table("gaps", Words("差距", "Gaps"), columns, lambda: _gap_rows(plan))


def _gap_rows(plan: Plan) -> Iterator[Sequence[Cell]]:
    for gap in plan.gaps:
        yield (
            gap.area.code,
            gap.area.name,
            name(plan.figure, gap.indicator),
            gap.needed,
            gap.open,
            cheapest(gap),
        )


def cheapest(gap: Gap) -> str:
    """The reasons to end first, with how many units each brings."""
    parts = (
        say(
            f"{vocabulary.REASONS[code].why} {count} 个", f"{vocabulary.REASONS[code].why}: {count}"
        )
        for code, count in gap.cheapest.items()
    )
    return say("；", "; ").join(parts)


def trend(figure: Figure, context: Context) -> Table:
    """Frozen years, then the months of this one, of the report's area."""
    columns = (
        column("时间", "time", "day", 16),
        column("来源", "source", "text", 14),
        _INDICATOR,
        *_SHARES[1:],
        *VERDICT_COUNTS,
        column("全部", "all", "count", 8),
        column("存档", "archive", "text", 26),
        column("根哈希", "root hash", "text", 20),
    )
    return Table("trend", Words("趋势", "Trend"), columns, lambda: _trend_rows(figure, context))


def _trend_rows(figure: Figure, context: Context) -> Iterator[Sequence[Cell]]:
    frozen, month = say("已冻结", "frozen"), say("按月", "month")
    for year in context.frozen:
        for row in _trend_of(figure, year.tallies):
            yield str(year.year), frozen, *row, year.archive, year.root
    for each in context.months:
        for row in _trend_of(figure, each.tallies):
            yield each.day.isoformat(), month, *row, None, None


def _trend_of(figure: Figure, tallies: Tallies) -> Iterator[Sequence[Cell]]:
    for indicator in kinds.every(figure):
        tally = tallies.get((figure.areas[0].code, indicator))
        if tally is not None and tally.all:
            counts: Mapping[Verdict, int] = tally.counts
            yield (
                name(figure, indicator),
                *_shares(figure, indicator, tally),
                *(counts[verdict] for verdict in Verdict),
                tally.all,
            )

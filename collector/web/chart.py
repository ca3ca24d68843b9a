"""Pictures as inline SVG: bars of verdicts, trends, and a line's tests. Colours are the sheet's.

No style is written into them, as the pages' policy forbids it: classes only. Pure.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from markupsafe import Markup, escape

from agent.common.calendar import CITY_TIME, Calendar, local_day
from agent.common.language import counted, say
from agent.common.vocabulary.verdicts import VERDICTS
from collector.compliance.lines import Trial
from collector.web.city import Share, TrendPoint
from collector.web.text import percent

#: From the floor up to the ceiling, then what is lost.
_PARTS = ("verified", "inspected", "declared", "unknown", "contradicted", "short")


def bar(share: Share) -> Markup:
    """Units by verdict, with a mark at the target."""
    total = share.all or 1
    at = 0.0
    rects = []
    for name in _PARTS:
        width = 100 * share.counts[name] / total
        if width:
            rects.append(
                f'<rect class="b-{name}" x="{at:.2f}%" y="0" width="{width:.2f}%" height="10"/>'
            )
        at += width
    goal = ""
    if share.target is not None:
        x = f"{share.target:.1f}%"
        goal = f'<line class="goal" x1="{x}" x2="{x}" y1="-3" y2="13"/>'
    label = escape(say("，", ", ").join(_counted(share.counts)))
    return _picture(
        f'<svg class="bar" role="img" aria-label="{label}" height="16" width="100%">'
        f'<g transform="translate(0 3)"><rect class="b-none" width="100%" height="10"/>'
        f"{''.join(rects)}{goal}</g></svg>"
    )


def _picture(svg: str) -> Markup:
    """Numbers and words of ours alone; whatever else goes in is escaped where it does."""
    return Markup(svg)  # noqa: S704


def _counted(counts: Mapping[str, int]) -> Iterator[str]:
    found = [f"{VERDICTS[name]} {counts[name]}" for name in _PARTS if counts[name]]
    return iter(found or [say("没有计入的单位", "no units")])


_W, _H = 240.0, 44.0


def trend(points: Sequence[TrendPoint], target: float | None) -> Markup:
    """The verified share over the days, from the lowest value shown up to 100%."""
    known = [point for point in points if point.verified is not None]
    if len(known) < 2:
        return Markup("")
    first, last = known[0].day, known[-1].day
    span = max(1, (last - first).days)
    values = [point.verified or 0.0 for point in known] + ([target] if target is not None else [])
    low = max(0.0, min(values) - 5)

    def place(day: dt.date, value: float) -> str:
        x = 2 + (_W - 4) * (day - first).days / span
        return f"{x:.1f},{2 + (_H - 4) * (100 - value) / (100 - low or 1):.1f}"

    line = " ".join(place(point.day, point.verified or 0.0) for point in known)
    goal = ""
    if target is not None:
        y = place(first, target).partition(",")[2]
        goal = f'<line class="goal" x1="0" x2="{_W:.0f}" y1="{y}" y2="{y}"/>'
    begin, end = (percent(point.verified) for point in (known[0], known[-1]))
    said = escape(say(
        f"核实率 {first} 至 {last}：由 {begin} 到 {end}",
        f"verified share {first} to {last}: from {begin} to {end}",
    ))  # fmt: skip
    return _picture(
        f'<div class="trend"><svg role="img" aria-label="{said}" viewBox="0 0 {_W:.0f} {_H:.0f}" '
        f'preserveAspectRatio="none">{goal}<polyline points="{line}"/></svg>'
        f'<p aria-hidden="true">{_end(known[0])}{_end(known[-1])}</p></div>'
    )


def _end(point: TrendPoint) -> str:
    return f"<span>{point.day:%m-%d} <b>{percent(point.verified)}</b></span>"


_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 12.0, 24.0
_WIDE, _HIGH = 960.0, 240.0


class _Scale:
    """Days and rates to places in the picture."""

    def __init__(self, first: dt.date, days: int, top: float) -> None:
        self.first, self.days, self.top = first, days, top
        begin = dt.datetime.combine(first, dt.time(), CITY_TIME)
        self._begin = begin.timestamp()

    def x(self, seconds: float) -> float:
        return _LEFT + (_WIDE - _LEFT - _RIGHT) * (seconds - self._begin) / (self.days * 86_400)

    def y(self, rate: float) -> float:
        return _TOP + (_HIGH - _TOP - _BOTTOM) * (1 - min(rate, self.top) / self.top)


def line_tests(
    tests: Sequence[Trial],
    contract: float | None,
    threshold: float,
    calendar: Calendar,
    now: dt.datetime,
    days: int,
) -> Markup:
    """Every test of a line as a mark, lessons shaded, with the contract and the threshold.

    Filled: counts, outside lessons. Ring: counts, in lessons. Cross: does not count.
    """
    first = now.astimezone(CITY_TIME).date() - dt.timedelta(days=days - 1)
    shown = [t for t in tests if first <= local_day(t.time // 10**9)]
    scale = _Scale(first, days, _top([t.rate or 0.0 for t in shown], contract, threshold))
    good = sum(not t.fault for t in shown)
    label = say(
        f"{days} 天内 {len(shown)} 次测试，{good} 次有效",
        f"{counted(len(shown), 'test')} in {counted(days, 'day')}, {good} of them valid",
    )
    parts = [
        f'<path class="lesson" d="{_lessons(scale, calendar)}"/>',
        *_grid(scale),
        _level(scale, threshold, "goal", say("门槛", "threshold")),
        _level(scale, contract, "contract", say("合同", "contract")) if contract else "",
        f'<path class="off" d="{_crosses(scale, shown)}"/>',
        *_marks(scale, shown),
    ]
    return _picture(
        f'<svg class="tests" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}">{"".join(parts)}</svg>'
    )


def _top(rates: Sequence[float], contract: float | None, threshold: float) -> float:
    """What the axis ends with; a contract far above every test does not flatten them."""
    most = max([threshold * 1.5, *rates]) * 1.12
    return max(most, contract * 1.12) if contract and contract <= 3 * most else most


def _lessons(scale: _Scale, calendar: Calendar) -> str:
    height = _HIGH - _TOP - _BOTTOM
    found = []
    for number in range(scale.days):
        day = scale.first + dt.timedelta(days=number)
        if not calendar.is_open_day(day):
            continue
        for start, end in calendar.hours.lessons:
            x0, x1 = (
                scale.x(dt.datetime.combine(day, at, CITY_TIME).timestamp()) for at in (start, end)
            )
            found.append(f"M{x0:.1f} {_TOP:g}h{x1 - x0:.1f}v{height:g}h{x0 - x1:.1f}z")
    return "".join(found)


def _grid(scale: _Scale) -> Iterator[str]:
    for rate in _ticks(scale.top):
        y = scale.y(rate)
        yield _rule("grid", _LEFT, _WIDE - _RIGHT, y, y)
        yield f'<text class="tick end" x="{_LEFT - 6:g}" y="{y + 4:.1f}">{rate:g}</text>'
    for number in range(0, scale.days, 7):
        day = scale.first + dt.timedelta(days=number)
        x = scale.x(dt.datetime.combine(day, dt.time(), CITY_TIME).timestamp())
        yield _rule("grid", x, x, _TOP, _HIGH - _BOTTOM)
        yield f'<text class="tick" x="{x + 3:.1f}" y="{_HIGH - 8:g}">{day:%m-%d}</text>'


def _rule(name: str, x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def _ticks(top: float) -> Iterable[float]:
    step = next(
        size * 10**power
        for power in range(-1, 7)
        for size in (1, 2, 5)
        if top / (size * 10**power) <= 5
    )
    return itertools.takewhile(lambda rate: rate <= top, (step * n for n in itertools.count()))


def _level(scale: _Scale, rate: float, name: str, label: str) -> str:
    beyond = " ↑" if rate > scale.top else ""
    y = scale.y(rate)
    below = 11 if name == "goal" or beyond else -4
    return (
        _rule(name, _LEFT, _WIDE - _RIGHT, y, y)
        + f'<text class="mark {name}" x="{_WIDE - _RIGHT - 4:g}" y="{y + below:.1f}">'
        f"{escape(label)} {rate:g}{beyond}</text>"
    )


def _crosses(scale: _Scale, tests: Iterable[Trial]) -> str:
    places = ((scale.x(t.time / 10**9), scale.y(t.rate or 0.0)) for t in tests if t.fault)
    return "".join(f"M{x - 2.5:.1f} {y - 2.5:.1f}l5 5m-5 0l5 -5" for x, y in places)


def _marks(scale: _Scale, tests: Iterable[Trial]) -> Iterator[str]:
    for test in tests:
        if not test.fault and test.rate is not None:
            kind = "quiet" if test.quiet else "busy"
            x, y = scale.x(test.time / 10**9), scale.y(test.rate)
            yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'

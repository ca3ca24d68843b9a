"""Numbers that are read first: a share with its target and the distance to it; open problems.

One rule of colour: blue is met or nothing to do, orange falls short of a target, vermilion is a
problem that waits.
"""

from __future__ import annotations

from agent.common.vocabulary.indicators import SHARES
from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql, panels, thresholds
from dashboards.panels import Head, Json, Query

TO_GO = Words("还差", "to go")
MET = Words("已达到", "met")
NO_UNITS = Words("没有", "none")


def headline(head: Head, query: Query, target: float | None, unit: str, lang: Lang) -> Json:
    """A share against its target, and how many units are missing; each by the name of its column.

    `unit`: what is counted, in the board's language. Without a target there is only the share.
    """
    made = panels.stat(head, query, share_steps(target))
    if target is None:
        return made
    goal = panels.colour(SHARES["target"].of(lang), "text")
    distance = panels.override(TO_GO.of(lang), to_go(unit, lang))
    made["fieldConfig"]["overrides"] = [goal, distance]
    made["options"]["orientation"] = "vertical"
    return made


def share_steps(target: float | None) -> list[Json]:
    """Orange below the target, blue from it on; without a target nothing is below it."""
    if target is None:
        return []
    return panels.steps(thresholds.ORANGE, thresholds.BLUE, target)


def to_go(unit: str, lang: Lang) -> list[Json]:
    """Properties of the column of missing units: a number with its unit, or that it is met.

    An area without units is said to have none: nothing of it is met.
    """
    met = {"text": MET.of(lang), "color": thresholds.BLUE}
    reached = {"type": "range", "options": {"from": None, "to": 0, "result": met}}
    none = {"text": NO_UNITS.of(lang), "color": thresholds.GREY}
    beyond = {"from": influxql.NO_UNITS / 2, "to": None, "result": none}
    absent = {"type": "range", "options": beyond}
    steps = panels.steps(thresholds.BLUE, thresholds.ORANGE, 1)
    return [
        {"id": "unit", "value": f"suffix:{unit}" if unit else "none"},
        {"id": "decimals", "value": 0},
        {"id": "mappings", "value": [reached, absent]},
        {"id": "thresholds", "value": {"mode": "absolute", "steps": steps}},
        {"id": "color", "value": {"mode": "thresholds"}},
    ]


def how_many(head: Head, measurement: str, column: str, inner: str, alive: str) -> Json:
    """How many rows `inner` returns, each a problem; 0 only where `alive` says that data come."""
    made = panels.troubles(head, Query(measurement, influxql.how_many(column, inner, alive)))
    # Two series, of the rows and of the 0: later versions of Grafana keep them apart.
    made["transformations"] = [{"id": "merge", "options": {}}]
    made["options"]["reduceOptions"]["calcs"] = ["max"]
    return made


def linked(panel: Json, title: Words, url: str, lang: Lang) -> Json:
    """The panel, a click on which opens another board with the same data."""
    sources = "${evidence:queryparam}&${telemetry:queryparam}"
    link = {"title": title.of(lang), "url": f"/d/schoolpulse-{url}-{lang}?{sources}"}
    panel["fieldConfig"]["defaults"]["links"] = [link]
    return panel


def days_judged(time: str = influxql.RECENT) -> str:
    """The schools' days: there are some as long as the keeper derives and judges."""
    return influxql.each("school_day", "last", {"open": "alive"}, {}, ("school",), time)

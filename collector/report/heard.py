"""When silent rooms and lines were last heard of: so that "never" is said only where it is so.

The figure reads no more of the past than its verdicts need. Here the year before the cut-off is
read backwards, of silent ones alone, each until it is found.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from agent.common.calendar import local_day, midnight_ns
from collector.compliance.model import Figure, Step, Unit
from collector.compliance.window import ONE_DAY
from collector.report.actions import DONE
from collector.store.base import Store

Key = tuple[str, str]  # school, and its room or line
Days = Mapping[Key, dt.date]
#: The spans that are read one after another, in days before the cut-off.
_BACK = (60, 120, 240, 400)
#: Schools a query: one for a whole city would be too long.
_SCHOOLS = 50


def completed(figure: Figure, store: Store) -> Figure:
    """The figure, with the last day of each silent room and line in its units' steps.

    Raises:
        StoreError: the store cannot be read.
    """
    open_units = [unit for unit in figure.units if unit.verdict not in DONE]
    keys = {_key(unit, step) for unit in open_units for step in unit.steps if _silent(step)}
    rooms = {key[1:] for key in keys if key[0] == "room"}
    lines = {key[1:] for key in keys if key[0] == "line"}
    found = {
        "room": _last(store, figure.cutoff, "room_day", "room", "pcs", rooms),
        "line": _last(store, figure.cutoff, "line_test", "line", "outcome", lines),
    }
    return dataclasses.replace(figure, units=[_told(unit, found) for unit in figure.units])


def _silent(step: Step) -> bool:
    """Whether nothing of this room or line came within the window."""
    numbers = step.numbers
    if step.rule in ("room", "computer_room"):
        return bool(numbers.get("room")) and numbers.get("days_reported") == 0
    tests = numbers.get("quiet_tests") or numbers.get("lesson_tests")
    return step.rule == "line" and not tests


def _key(unit: Unit, step: Step) -> tuple[str, str, str]:
    tag = "line" if step.rule == "line" else "room"
    return tag, unit.school, str(step.numbers[tag])


def _last(
    store: Store, cutoff: dt.date, name: str, tag: str, field: str, keys: Iterable[Key]
) -> Days:
    """The newest day of each of these rooms or lines that has one."""
    left, days = set(keys), {}
    stop = midnight_ns(cutoff + ONE_DAY)
    for back in _BACK:
        start = midnight_ns(cutoff - ONE_DAY * back)
        new: dict[Key, dt.date] = {}
        for tags in _parts(left, tag):
            for point in store.read(name, start, stop, tags, [field]):
                key = point.tags.get("school", ""), point.tags.get(tag, "")
                if key in left and point.fields[field] != 0:  # a room's day without a PC is none
                    new[key] = local_day(point.time // 10**9)
        days.update(new)
        left -= new.keys()
        stop = start
    return days


def _parts(keys: Iterable[Key], tag: str) -> Iterator[Mapping[str, Iterable[str]]]:
    names: dict[str, set[str]] = defaultdict(set)
    for school, name in keys:
        names[school].add(name)
    schools = iter(sorted(names))
    while part := list(itertools.islice(schools, _SCHOOLS)):
        yield {"school": part, tag: sorted(set().union(*(names[school] for school in part)))}


def _told(unit: Unit, found: Mapping[str, Days]) -> Unit:
    if unit.verdict in DONE or not any(map(_silent, unit.steps)):
        return unit
    return dataclasses.replace(unit, steps=tuple(_step(unit, s, found) for s in unit.steps))


def _step(unit: Unit, step: Step, found: Mapping[str, Days]) -> Step:
    if not _silent(step):
        return step
    tag, *key = _key(unit, step)
    day = found[tag].get((key[0], key[1]))
    if day is None:
        return step
    return Step(
        step.rule,
        f"{step.zh}；最后上报 {day}",
        f"{step.en}; last heard of on {day}",
        {**step.numbers, "last_day": day.isoformat()},
    )

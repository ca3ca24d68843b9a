"""From what is new or whole, in any order, killed anywhere, by two at once: the same rows."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import city_day
from collector.config import City, Figure
from collector.keeper import Keeper, schoolday
from collector.keeper.midnight import midnight
from collector.store.base import Point, Value

from .conftest import DAY, OTHER, SCHOOL
from .passes import (
    NOW,
    KilledError,
    S,
    keeper,
    news,
    pass_over,
    register,
    rows,
    stores,
)  # fmt: skip

KINDS = (
    ("display", "HDMI-1"), ("tv", "HDMI-2"), ("projector", "net:1"), ("sound", "card0"),
    ("camera", "usb1"), ("virtual_display", "v0"),
)  # fmt: skip


@st.composite
def device(draw: st.DrawFn, tags: dict[str, str], at: int) -> Point:
    kind, connector = draw(st.sampled_from(KINDS))
    fields: dict[str, Value] = {
        "present": draw(st.booleans()),
        "fault": draw(st.sampled_from(["", "", "lamp"])),
        "power": draw(st.sampled_from(["on", "off", "unknown"])),
        "connector": connector,
        "serial": draw(st.sampled_from(["", "A1", "B2"])),
    }
    fields |= dict.fromkeys(("maker", "model"), draw(st.sampled_from(["", "EPSON"])))
    ident = f"{kind}-{draw(st.sampled_from(['a', 'b']))}"
    return Point("device", {**tags, "kind": kind, "device": ident}, fields, at)


@st.composite
def report(draw: st.DrawFn) -> list[Point]:
    """One report of any PC, at any minute of two days."""
    school = draw(st.sampled_from([SCHOOL, SCHOOL, OTHER]))
    pc, minute = draw(st.integers(1, 4)), draw(st.integers(0, 90))
    day = draw(st.sampled_from([0, 0, 0, 0, -1]))
    second = day * 86_400 + 9 * 3600 + minute * 60
    at = midnight(DAY) + second * S + draw(st.integers(0, 3)) * 10**6 + pc * 1000
    tags = {"school": school, "machine": f"{pc:032x}"}
    marks: dict[str, Value] = {"uncertain": True} if draw(st.integers(0, 9)) == 9 else {}
    agent: dict[str, Value] = {
        "boot": draw(st.sampled_from(["a" * 16, "b" * 16])), "number": minute + 2,
        "weak_id": pc == 4, "probes": draw(st.sampled_from(["displays,sound", "sound,cameras"])),
        "uptime_s": float(minute), "room": draw(st.sampled_from(["", "", "6-2"])),
    }  # fmt: skip
    points = [Point("agent", tags, agent | marks, at)]
    if name := draw(st.sampled_from(["", "6-1-x", "6-2-y"])):
        points.append(Point("host", tags, {"hostname": name} | marks, at))
    found = {p.tags["device"]: p for p in draw(st.lists(device(tags, at), max_size=4))}
    return points + [p._replace(fields=dict(p.fields) | marks) for p in found.values()]


batches = st.lists(st.lists(report(), min_size=1, max_size=4), min_size=2, max_size=7)


ANY = settings(
    max_examples=25, deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example costs two stores
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@ANY
@given(batches)
def test_each_pass_leaves_what_a_whole_one_leaves(arriving: list[list[list[Point]]]) -> None:
    with stores(2) as (new, whole):
        one = keeper(new)
        for batch in arriving:
            for store in (new, whole):
                store.write([point for points in batch for point in points])
            pass_over(one, news(batch))
            pass_over(keeper(whole), news(batch))
            assert rows(new) == rows(whole)


@ANY
@given(batches, st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=7, max_size=7))
def test_killed_anywhere_the_next_pass_leaves_what_a_whole_one_leaves(
    arriving: list[list[list[Point]]], kills: list[tuple[int, bool]]
) -> None:
    with stores(1) as (store,):
        one = keeper(store)
        for batch, (store.left, store.after) in zip(arriving, kills, strict=False):
            left, store.left = store.left, -1
            store.write([point for points in batch for point in points])
            store.left = left
            todo = news(batch)
            try:
                pass_over(one, todo)
            except KilledError:
                one = keeper(store)
            store.left = -1
            pass_over(one, todo)
            before = rows(store)
            pass_over(keeper(store), dict.fromkeys(news(batch), 0))
            assert rows(store) == before


@ANY
@given(batches)
def test_two_keepers_leave_what_a_whole_pass_leaves(arriving: list[list[list[Point]]]) -> None:
    with stores(1) as (store,):
        both = [keeper(store), keeper(store)]
        for at, batch in enumerate(arriving):
            store.write([point for points in batch for point in points])
            for one in both if at % 2 else reversed(both):
                one.begin()
                pass_over(one, news(batch))
            before = rows(store)
            pass_over(keeper(store), dict.fromkeys(news(batch), 0))
            assert rows(store) == before


def test_most_reports_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The properties above would hold for a keeper that derives whole days each time."""
    from collector.keeper import schoolday

    town = city_day.City(schools=2, pcs=6)
    known, counted = city_day.register(town), []
    derive = schoolday.SchoolDay.derive
    monkeypatch.setattr(
        schoolday.SchoolDay, "derive", lambda self: (counted.append(1), derive(self))[1]
    )
    with stores(2) as (new, whole):
        one = keeper(new, known)
        for minute in range(8 * 60 - 1, 8 * 60 + 45):
            begin = minute * 60
            for code in town.codes:
                arrived = list(city_day.reports(town, code, begin, begin + 60))
                for store in (new, whole):
                    store.write([point for points in arrived for point in points])
                if arrived:
                    first = min(points[0].time for points in arrived)
                    one.derive_school(code, city_day.DAY, first)
        assert len(counted) == 2, "once each"
        for code in town.codes:
            keeper(whole, known).derive_school(code, city_day.DAY)
        assert rows(new) == rows(whole)


def test_a_change_of_the_register_derives_anew_the_schools_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    derive, counted = schoolday.SchoolDay.derive, []
    monkeypatch.setattr(
        schoolday.SchoolDay, "derive", lambda self: (counted.append(self._school), derive(self))[1]
    )
    in_force = [register()]
    at = midnight(DAY) + 9 * 3600 * S
    raw = [
        Point("agent", {"school": school, "machine": f"{3:032x}"}, {"boot": "a", "number": 2}, at)
        for school in (SCHOOL, OTHER)
    ]
    with stores(2) as (new, whole):
        one = Keeper(
            new, lambda: in_force[-1], Figure(), City(), now=lambda: NOW,
            version=lambda: len(in_force),
        )  # fmt: skip
        for store in (new, whole):
            store.write(raw)
        marked: dict[tuple[str, int], int] = dict.fromkeys([(SCHOOL, 0), (OTHER, 0)], 2**62)
        found = []
        for known in (register(), register(), register(bound_to="6-2")):
            in_force.append(known)
            one.begin()
            pass_over(one, dict(marked))
            found.append(sorted(counted))
            pass_over(keeper(whole, known), dict.fromkeys(marked, 0))
            assert rows(new) == rows(whole)
            counted.clear()
        assert found == [[SCHOOL, OTHER], [], [SCHOOL]]

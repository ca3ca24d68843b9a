"""From what is new or whole, in any order, killed anywhere, by two at once: the same rows."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import city_day
from collector.config import City, Figure
from collector.keeper import Keeper, schoolday
from collector.keeper.midnight import midnight
from collector.roster.register import Decision, Equipment, Machine, Register, Room, School
from collector.store.base import Point, Store, Value
from collector.store.sqlite import SqliteStore

from .conftest import DAY, OTHER, SCHOOL, MakePoints

S = 10**9
DERIVED = ("machine_day", "device_day", "room_day", "school_day", "school_hour", "event")
KINDS = (
    ("display", "HDMI-1"), ("tv", "HDMI-2"), ("projector", "net:1"), ("sound", "card0"),
    ("camera", "usb1"), ("virtual_display", "v0"),
)  # fmt: skip


def register(*, bound_to: str = "6-1") -> Register:
    """Two schools; PC 2 of the first is merged into PC 1, PC 3 is bound to a room by its id."""
    rooms = [
        Room(code, "本部", room, room, "教室", None)
        for code in (SCHOOL, OTHER)
        for room in ("6-1", "6-2")
    ]
    return Register(
        {code: School(code, "示例小学", "630102", "小学", "630102") for code in (SCHOOL, OTHER)},
        rooms=rooms,
        equipment=[Equipment(SCHOOL, "6-1", "tv", 1), Equipment(SCHOOL, "6-2", "projector", 1)],
        machines=[
            Machine(SCHOOL, bound_to, f"{3:032x}"), *(
                Machine(code, room, f"{room}-*") for code in (SCHOOL, OTHER)
                for room in ("6-1", "6-2")
            ),
        ],
        decisions=[Decision(SCHOOL, f"{2:032x}", "merge", f"{1:032x}")],
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


class KilledError(BaseException):
    """The process is gone."""


class Fragile(SqliteStore):
    """Kills its writer before or after a write."""

    left = -1
    after = False

    def write(self, points: Sequence[Point]) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KilledError
        super().write(points)
        if self.left == 0:
            raise KilledError


NOW = midnight(DAY) + 12 * 3600 * S


def keeper(store: Store, known: Register | None = None) -> Keeper:
    found = known or register()
    return Keeper(store, lambda: found, Figure(), City(), now=lambda: NOW, version=lambda: 1)


def news(batch: list[list[Point]]) -> dict[tuple[str, int], int]:
    """The first time of each school and day (as days from `DAY`) that is new."""
    found: dict[tuple[str, int], int] = {}
    for points in batch:
        key = points[0].tags["school"], -(points[0].time < midnight(DAY))
        found[key] = min(found.get(key, points[0].time), points[0].time)
    return found


def pass_over(one: Keeper, todo: dict[tuple[str, int], int]) -> None:
    """What the keeper's thread does, today first; what is done is taken out of `todo`."""
    while todo:
        school, days = key = max(todo, key=lambda key: key[1])

        def follows(day: dt.date, school: str = school) -> None:
            if day <= DAY:
                todo[school, (day - DAY).days] = 0

        one.derive_school(school, DAY + dt.timedelta(days=days), todo[key], follows)
        del todo[key]


def rows(store: Store) -> list[Point]:
    return sorted(
        (point for name in DERIVED for point in store.read(name, 0, 2**62)),
        key=lambda point: (point.measurement, point.time, sorted(point.tags.items())),
    )


@contextmanager
def stores(count: int) -> Iterator[list[Fragile]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        yield [
            opened.enter_context(Fragile(Path(name) / f"{n}.db", telemetry_days=36500))
            for n in range(count)
        ]


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


def test_a_merged_pcs_earlier_report_is_late(make: MakePoints) -> None:
    """Its own last report is older, that of the PC that it counts as is not."""

    def seen(n: int, at: str) -> list[Point]:
        device = make.device(n, at, "projector")
        device = device._replace(tags={**device.tags, "device": "one"})
        return [make.agent(n, at, boot=f"{n}" * 16, probes="displays"), device]

    batches_of = [[seen(1, "10:00"), seen(1, "10:05")], [seen(2, "09:55")], [seen(2, "10:10")]]
    with stores(2) as (new, whole):
        one = keeper(new)
        for batch in batches_of:
            for store in (new, whole):
                store.write([point for points in batch for point in points])
            pass_over(one, news(batch))
            pass_over(keeper(whole), dict.fromkeys(news(batch), 0))
            assert rows(new) == rows(whole)
        (row,) = new.read("device_day", 0, 2**62)
        assert row.fields["presence_ms"] == make.time("09:55") // 10**6


def test_a_room_learned_later_changes_what_earlier_absences_meant(make: MakePoints) -> None:
    """The register has a TV in that room: it was switched off, not taken away."""

    def seen(at: str, *more: Point, present: bool) -> list[Point]:
        tv = make.device(1, at, "tv", "HDMI-2", present=present)
        return [make.agent(1, at, probes="displays"), *more, tv]

    first = [seen("10:00", present=True), seen("10:05", present=True)]
    gone = [seen(at, present=False) for at in ("10:10", "10:13", "10:16")]
    named = seen("10:20", make.host(1, "10:20", "6-1-x"), present=False)
    with stores(2) as (new, whole):
        one = keeper(new)
        for batch in ([*first, *gone], [named], [seen("10:25", present=False)]):
            for store in (new, whole):
                store.write([point for points in batch for point in points])
            pass_over(one, news(batch))
            pass_over(keeper(whole), dict.fromkeys(news(batch), 0))
            assert rows(new) == rows(whole)
        found = new.read("device_day", 0, 2**62, {"room": "6-1"})
        states = [(row.fields["presence"], row.fields["looked_ms"]) for row in found]
        assert states == [("off", make.time("10:25") // 10**6)]

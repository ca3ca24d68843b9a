"""Signs of doubt in a day's machine ids: each forger shows, ordinary PCs do not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from collector.compliance import evidence
from collector.compliance.figure import judge
from collector.compliance.model import Figure as Judged
from collector.config import City, Figure
from collector.keeper import Keeper
from collector.keeper.doubts import ALIKE, explained, school_doubts
from collector.keeper.midnight import midnight
from collector.roster.register import Register
from collector.simulate import evidence as invented
from collector.simulate.build import build
from collector.simulate.city import Size
from collector.store.base import Point, Store, Value
from collector.store.sqlite import SqliteStore
from pruning import prune

MakeKeeper = Callable[[Register], Keeper]
JUDGED = ("room_day", "line_test", "line_record")
NAMES = ("ids_beyond", "ids_alike", "ids_unnamed", "ids_late")


def clock(n: int) -> str:
    """A different moment for each PC, in no step with the others."""
    return f"08:{n * 7 % 60:02d}:{n * 13 % 60:02d}.{n * 367 % 1000:03d}"


def pc(make: Any, n: int, at: str | None = None, name: str = "pc", **fields: Value) -> list[Point]:
    """An ordinary PC's first report of a day: what is its own is its own."""
    counters = {"received": 10**7 + 977 * n, "uptime": 61.0 + n * 1.003} | fields
    received, uptime = counters.pop("received"), counters.pop("uptime")
    when = at or clock(n)
    agent = make.agent(n, when, uptime_s=uptime, **counters)
    host = make.host(n, when, f"{name}-{n}")
    return [agent, host._replace(fields={**host.fields, "received_bytes": received})]


def derived(store: Store, keeper: Keeper, points: Iterable[Point], day: dt.date) -> dict[str, int]:
    """What the keeper says of the day, twice alike."""
    store.write(list(points))
    keeper.derive([day])
    assert keeper.derive([day]) == 0
    return stored(store)


def stored(store: Store) -> dict[str, int]:
    found: dict[str, Any] = {}
    for point in store.read("school_day", 0, 2**62, None, NAMES):
        found |= {name: number for name, number in point.fields.items() if number}
    return found


def pruned(store: Any) -> None:
    """All telemetry is gone."""
    store._days = 1
    assert prune(store)


def figure_of(store: Store, register: Register, day: dt.date) -> Judged:
    found = evidence.load(store, register, Figure(), day)
    return judge(register, found, Figure(), City(), year=day.year, today=day)


def test_ordinary_pcs_show_nothing(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    count = explained(register, make.school)
    points = [point for n in range(count) for point in pc(make, n)]
    assert derived(store, keeper_of(register), points, day) == {}
    assert list(store.read("school_day", 0, 2**62)) == []


def test_the_register_explains_seats_rooms_and_a_margin(register: Register, make: Any) -> None:
    # 50 seats, two rooms of one PC each; a quarter of that is more than ten.
    assert explained(register, make.school) == 52 + 13
    assert explained(Register(register.schools), make.school) == 10


def test_one_id_more_than_the_register_explains_is_a_sign(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    count = explained(register, make.school) + 1
    points = [point for n in range(count) for point in pc(make, n)]
    assert derived(store, keeper_of(register), points, day) == {"ids_beyond": 1}


@pytest.mark.parametrize(
    ("name", "same"),
    [("received", {"received": 123_456_789}), ("uptime", {"uptime": 3600.25}),
     ("first", {"at": "08:00:00.123"})],
)  # fmt: skip
@pytest.mark.parametrize("count", [ALIKE - 1, ALIKE, 40])
def test_pcs_that_share_what_pcs_do_not_share(
    name: str, same: dict[str, Any], count: int,
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date,
) -> None:  # fmt: skip
    points = [point for n in range(count) for point in pc(make, n, **same)]
    points += [point for n in range(100, 108) for point in pc(make, n)]
    expected = {"ids_alike": count} if count >= ALIKE else {}
    assert derived(store, keeper_of(register), points, day) == expected, name


def test_reports_in_whole_seconds_are_alike_whatever_their_seconds(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    points = [point for n in range(30) for point in pc(make, n, f"08:{n:02d}:{n:02d}.500")]
    assert derived(store, keeper_of(register), points, day) == {"ids_alike": 30}


def test_what_many_pcs_do_share_is_no_sign(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    """A room's mains: all agents start at once; a driver that counts nothing says 0."""
    points = [point for n in range(40) for point in pc(make, n, uptime=0.412, received=0)]
    assert derived(store, keeper_of(register), points, day) == {}


def test_an_id_without_a_name_is_a_sign_until_it_has_one(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    keeper = keeper_of(register)
    first = [make.agent(1, "08:00"), *pc(make, 2)]
    assert derived(store, keeper, first, day) == {"ids_unnamed": 1}
    assert derived(store, keeper, [make.host(1, "08:05", "pc-1")], day) == {}
    later = day + dt.timedelta(days=1)
    assert derived(store, keeper, [make.agent(1, "08:00", later)], later) == {}


def test_late_evidence_stays_late_when_the_reports_are_gone(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    keeper = keeper_of(register)
    points = [*pc(make, 1, late_days=7), *pc(make, 2, late_days=6), *pc(make, 3)]
    assert derived(store, keeper, points, day) == {"ids_late": 1}
    pruned(store)
    assert derived(store, keeper, [*pc(make, 3, "16:00:00.017")], day) == {"ids_late": 1}


def test_the_first_counters_are_the_first_whatever_comes_later(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    def kept() -> tuple[Value, Value]:
        (row,) = store.read("machine_day", 0, 2**62)
        return row.fields["first_received"], row.fields["first_uptime_s"]

    keeper = keeper_of(register)
    derived(store, keeper, pc(make, 1, "09:00", received=50, uptime=500.0), day)
    assert kept() == (50, 500.0)
    derived(store, keeper, pc(make, 1, "10:00", received=70, uptime=4100.0), day)
    assert kept() == (50, 500.0)
    derived(store, keeper, pc(make, 1, "08:00", received=20, uptime=90.0), day)
    assert kept() == (20, 90.0)
    pruned(store)
    derived(store, keeper, pc(make, 1, "12:00", received=99, uptime=9000.0), day)
    assert kept() == (20, 90.0)


def test_a_school_equipped_over_one_connection_shows(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    """237 reports by a program that knows the credential: 79 PCs, three times each."""
    points = [
        make.agent(n, f"{hour:02d}:{n // 60:02d}:{n % 60:02d}.{n:03d}", uptime_s=7200.0)
        for n in range(79)
        for hour in (8, 10, 14)
    ]
    assert len(points) == 237
    found = derived(store, keeper_of(register), points, day)
    assert found == {"ids_beyond": 14, "ids_alike": 79, "ids_unnamed": 79}
    assert figure_of(store, register, day).doubts == {make.school: found}


def test_ids_one_after_another_show(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    """One PC that takes a new id every half hour makes no computer room."""
    points = [
        point
        for n in range(12)
        for minute in (3, 21)
        for point in pc(
            make, n, f"{8 + n // 2:02d}:{minute + n % 2 * 30:02d}:07.{n * 71:03d}", "lab"
        )
    ]
    derived(store, keeper_of(register), points, day)
    assert figure_of(store, register, day).doubts == {make.school: {"ids_in_turn": 12}}


def test_a_computer_room_in_use_shows_nothing(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    """Half of its PCs in the morning, half in the afternoon, two all day."""
    points = [
        point
        for n in range(40)
        for hour in ((8, 11), (14, 16), (8, 16))[2 if n < 2 else n % 2]
        for point in pc(make, n, f"{hour:02d}:{n:02d}:11.{n * 23:03d}", "lab")
    ]
    derived(store, keeper_of(register), points, day)
    assert figure_of(store, register, day).doubts == {}


def test_replays_show(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    """Reports of three days that a program sent weeks later."""
    days = [day + dt.timedelta(days=n) for n in range(3)]
    for each in days:
        points = [
            point._replace(time=point.time + midnight(each) - midnight(day))
            for n in range(4)
            for point in pc(make, n, late_days=20)
        ]
        store.write(points)
    keeper_of(register).derive(days)
    assert figure_of(store, register, days[-1]).doubts == {make.school: {"late": 12}}


@pytest.mark.parametrize("seed", range(1, 11))
def test_an_ordinary_city_shows_nothing(seed: int, tmp_path: Path) -> None:
    cutoff = dt.date(2026, 11, 24)
    city = build(Size(14, seed, 2026, every_case=True), cutoff, cutoff, days=0)
    register, offline = city.register(), invented.offline_of(city)
    with SqliteStore(tmp_path / "city.db", 36500) as store:
        for rank in range(0, 30, 3):
            points = invented.points_of(city, register, rank, offline)
            machines = [point for point in points if point.measurement == "machine_day"]
            for code in register.schools:
                own = [point for point in machines if point.tags["school"] == code]
                assert school_doubts(own, [], register, code) == []
            store.write([point for point in points if point.measurement in JUDGED])
        assert figure_of(store, register, cutoff).doubts == {}


def test_what_is_derived_from_invented_rows_is_invented(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    derived(store, keeper_of(register), [make.agent(1, "08:00", simulated=True)], day)
    (row,) = store.read("school_day", 0, 2**62)
    assert row.fields["simulated"] is True

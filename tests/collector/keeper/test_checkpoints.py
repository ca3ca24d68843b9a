"""A keeper that goes on where another ended leaves the rows that a whole derivation leaves."""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import city_day
from collector.keeper import Keeper, checkpoints, saved
from collector.keeper.checkpoints import FILE, Checkpoints
from collector.keeper.midnight import midnight
from collector.keeper.schoolday import SchoolDay
from collector.roster.register import Register
from collector.store.base import Point, Store

from .conftest import DAY, SCHOOL, MakePoints
from .passes import NOW, KilledError, keeper, news, pass_over, projector, register, rows, stores
from .test_equality import ANY, batches

#: How a batch ends: is the keeper killed at a write, before or after it; does it save; restart.
ends = st.tuples(st.integers(0, 6), st.booleans(), st.booleans(), st.booleans())


@contextmanager
def started(
    store: Store, folder: Path, known: Register | None = None, now: int = NOW
) -> Iterator[Keeper]:
    with closing(Checkpoints(folder / FILE)) as file:
        one = keeper(store, known, now, file)
        one.begin()
        yield one


@pytest.fixture(autouse=True)
def _saved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each day is saved when it is first derived, and then only when a test says so."""
    monkeypatch.setattr(saved, "_EVERY_S", math.inf)


def save(one: Keeper) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved, "_EVERY_S", 0.0)
        one._days.save()


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[dt.date]:
    """The days that were derived whole."""
    found: list[dt.date] = []
    derive = SchoolDay.derive
    monkeypatch.setattr(
        SchoolDay, "derive", lambda self: (found.append(self._day), derive(self))[1]
    )
    return found


def in_order(arriving: list[list[list[Point]]]) -> list[list[list[Point]]]:
    """The same reports in the order of their times: late ones have days derived whole."""
    rest = iter(sorted((one for batch in arriving for one in batch), key=lambda one: one[0].time))
    return [[next(rest) for _ in batch] for batch in arriving]


@ANY
@given(
    st.one_of(batches, batches.map(in_order), batches.map(in_order)),
    st.lists(ends, min_size=7, max_size=7),
)
def test_killed_anywhere_a_keeper_that_takes_up_leaves_what_a_whole_pass_leaves(
    arriving: list[list[list[Point]]], how: list[tuple[int, bool, bool, bool]]
) -> None:
    """Beside it one that never goes on: what were added to the rows would be in both else."""
    with stores(2) as (store, plain), tempfile.TemporaryDirectory() as name:
        folder, opened = Path(name), []

        def start() -> Keeper:
            opened.append(Checkpoints(folder / FILE))
            made = keeper(store, checkpoints=opened[-1])
            made.begin()
            return made

        one = start()
        for batch, (left, after, saves, again) in zip(arriving, how, strict=False):
            store.write([point for points in batch for point in points])
            store.left, store.after = left or -1, after
            todo = news(batch)
            try:
                pass_over(one, todo)
            except KilledError:
                one = start()
            store.left = -1
            pass_over(one, todo)
            if saves:
                save(one)
            if again:
                one = start()
            before = rows(store)
            pass_over(keeper(store), dict.fromkeys(news(batch), 0))
            assert rows(store) == before
            plain.write([point for points in batch for point in points])
            pass_over(keeper(plain), dict.fromkeys(news(batch), 0))
            assert rows(plain) == before
        for file in opened:
            file.close()


def test_after_a_start_a_city_goes_on(tmp_path: Path, whole: list[dt.date]) -> None:
    town = city_day.City(schools=2, pcs=6)
    known = city_day.register(town)

    def arrive(store: Store, begin: int, end: int) -> dict[str, int]:
        first: dict[str, int] = {}
        for code in town.codes:
            arrived = list(city_day.reports(town, code, begin, end))
            store.write([point for points in arrived for point in points])
            first[code] = min(points[0].time for points in arrived)
        return first

    with stores(1) as (store,):
        with started(store, tmp_path, known) as one:
            due = arrive(store, 8 * 3600, 9 * 3600)
            one.derive_schools(due, city_day.DAY, lambda *_: None)
            save(one)
            due = arrive(store, 9 * 3600, 9 * 3600 + 900)
            one.derive_schools(due, city_day.DAY, lambda *_: None)
        assert len(whole) == 2
        due = arrive(store, 9 * 3600 + 900, 9 * 3600 + 1500)
        with started(store, tmp_path, known) as one:
            one.derive_schools(due, city_day.DAY, lambda *_: None)
        assert len(whole) == 2, "no day is read whole again"
        before = rows(store)
        keeper(store, known).derive([city_day.DAY])
        assert rows(store) == before


def saved_day(store: Store, folder: Path, make: MakePoints) -> int:
    """A projector's morning, derived and saved; when the next report is due, ns."""
    raw = [p for at in range(0, 50, 5) for p in projector(make, f"10:{at:02}", DAY, present=True)]
    store.write(raw)
    with started(store, folder) as one:
        pass_over(one, {(SCHOOL, 0): raw[0].time})
        save(one)
    return make.time("10:50")


def resumed(store: Store, folder: Path, since: int, known: Register | None = None) -> None:
    with started(store, folder, known) as one:
        pass_over(one, {(SCHOOL, 0): since})
    before = rows(store)
    pass_over(keeper(store, known), {(SCHOOL, 0): 0})
    assert rows(store) == before


def test_what_the_store_lost_or_got_meanwhile_is_noticed(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    def gone(store: Store, name: str, at: str) -> None:
        store.delete(name, make.time(at), make.time(at) + 10**9, {"school": SCHOOL})

    changes = {
        "none": lambda _: None,
        "a report": lambda store: gone(store, "agent", "10:05"),
        "a row": lambda store: store.delete("machine_day", 0, 2**62, {"school": SCHOOL}),
        "a device's row": lambda store: store.delete("device_day", 0, 2**62, {"school": SCHOOL}),
        "an old report": lambda store: store.write([make.agent(1, "10:07")]),
    }
    for n, (name, change) in enumerate(changes.items()):
        with stores(1) as (store,):
            folder = tmp_path / f"{n}"
            due = saved_day(store, folder, make)
            store.write(projector(make, "10:50", DAY, present=False))
            whole.clear()
            change(store)
            with started(store, folder) as one:
                pass_over(one, {(SCHOOL, 0): due})
            assert len(whole) == (name != "none"), name


def test_another_register_program_or_keeper_derives_whole(
    tmp_path: Path, make: MakePoints, whole: list[dt.date], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_program(_: Store) -> None:
        monkeypatch.setattr(saved, "_program", lambda: b"x" * 16)

    def other_keeper(store: Store) -> None:
        pass_over(keeper(store), {(SCHOOL, 0): 0})
        store.write([Point("collector", {}, {"keeper": "1/1 beef"}, midnight(DAY) + 10**18)])

    cases = [(None, other_program), (register(bound_to="6-2"), None), (None, other_keeper)]
    for n, (known, change) in enumerate(cases):
        with stores(1) as (store,), monkeypatch.context():
            due = saved_day(store, tmp_path / f"{n}", make)
            if change is not None:
                change(store)
            store.write(projector(make, "10:50", DAY, present=False))
            whole.clear()
            with started(store, tmp_path / f"{n}", known) as one:
                pass_over(one, {(SCHOOL, 0): due})
            assert whole == [DAY], n


def test_a_late_report_after_the_checkpoint_drops_it(
    tmp_path: Path, make: MakePoints, whole: list[dt.date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper that had derived it is killed before it saves again."""
    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        late = projector(make, "10:02", DAY, present=False)
        store.write(late)
        with started(store, tmp_path) as one, monkeypatch.context() as patch:
            patch.setattr(one._days, "save", lambda: None)
            pass_over(one, {(SCHOOL, 0): late[0].time})
        store.write(projector(make, "10:50", DAY, present=False))
        whole.clear()
        resumed(store, tmp_path, due)
        assert whole == [DAY, DAY], (
            "by the one that started, and by the one that it is compared with"
        )


def test_a_note_of_the_days_first_report_does_not_have_it_read_whole(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    """Notes name a day by a report that the checkpoint knows; some name it again and again."""
    with stores(1) as (store,):
        saved_day(store, tmp_path, make)
        for n in range(3):
            store.write(projector(make, f"10:{50 + n}", DAY, present=False))
            with started(store, tmp_path) as one:
                pass_over(one, {(SCHOOL, 0): make.time("10:05")})
        assert len(whole) == 1
        before = rows(store)
        pass_over(keeper(store), {(SCHOOL, 0): 0})
        assert rows(store) == before


def test_what_changed_in_a_report_before_the_checkpoint_is_noticed_by_its_note(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    with stores(1) as (store,):
        saved_day(store, tmp_path, make)
        store.write(projector(make, "10:05", DAY, present=False))
        whole.clear()
        resumed(store, tmp_path, make.time("10:05"))
        assert whole == [DAY, DAY]


@pytest.mark.parametrize("harm", ["flipped", "cut", "no database"])
def test_a_broken_file_costs_time_alone(
    tmp_path: Path, make: MakePoints, whole: list[dt.date], harm: str
) -> None:
    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        path = tmp_path / FILE
        if harm == "no database":
            path.write_bytes(b"no database" * 1000)
        else:
            with closing(sqlite3.connect(path)) as db, db:
                (state,) = db.execute("SELECT state FROM days").fetchone()
                other = bytearray(state[: len(state) // 2] if harm == "cut" else state)
                other[len(other) // 3] ^= 4
                db.execute("UPDATE days SET state = ?", (bytes(other),))
        store.write(projector(make, "10:50", DAY, present=False))
        whole.clear()
        resumed(store, tmp_path, due)
        assert whole == [DAY, DAY], (
            "by the one that started, and by the one that it is compared with"
        )


def test_a_file_that_lay_for_long_says_nothing(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
            db.execute("UPDATE owner SET at = at - 3000")
        store.write(projector(make, "10:50", DAY, present=False))
        whole.clear()
        resumed(store, tmp_path, due)
        assert whole == [DAY, DAY], (
            "by the one that started, and by the one that it is compared with"
        )


def test_days_after_one_that_was_taken_up_follow_it(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    """Half an hour after midnight, yesterday's last reports come."""
    yesterday, now = DAY - dt.timedelta(days=1), midnight(DAY) + 1800 * 10**9
    seen = [projector(make, f"23:{n}", yesterday, present=True) for n in range(10, 50, 5)]
    with stores(1) as (store,):
        store.write([p for one in seen for p in one] + projector(make, "00:05", DAY, present=True))
        with started(store, tmp_path, now=now) as one:
            pass_over(one, {(SCHOOL, -1): 1, (SCHOOL, 0): 1})
            save(one)
        whole.clear()
        last = projector(make, "23:55", yesterday, present=False)
        store.write(last)
        told: list[dt.date] = []
        with started(store, tmp_path, now=now) as one:
            one.derive_school(SCHOOL, yesterday, last[0].time, told.append)
        assert (whole, told) == ([], [DAY])


def test_hours_of_a_day_that_is_saved_do_not_read_it_whole(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    with stores(1) as (store,):
        saved_day(store, tmp_path, make)
        whole.clear()
        with started(store, tmp_path) as one:
            one._days.hours([SCHOOL], DAY, NOW)
            assert one.goes_on(SCHOOL, DAY)
        assert not whole


def test_a_file_that_cannot_be_made_again_holds_nothing_up(
    tmp_path: Path, make: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        monkeypatch.setattr(checkpoints, "open_file", full)
        store.write(projector(make, "10:50", DAY, present=False))
        resumed(store, tmp_path, due)
        monkeypatch.undo()
        with started(store, tmp_path) as one:
            pass_over(one, {(SCHOOL, 0): due})
            save(one)
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            assert db.execute("SELECT count(*) FROM days").fetchone() == (1,)

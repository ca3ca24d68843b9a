"""A keeper that goes on where another ended leaves the rows that a whole derivation leaves."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import city_day
from collector.keeper import Keeper
from collector.keeper.checkpoints import FILE, Checkpoints
from collector.keeper.midnight import midnight
from collector.store.base import Point, Store

from .checkpointed import resumed, save, saved_day, started
from .conftest import DAY, SCHOOL, MakePoints
from .passes import NOW, KilledError, keeper, news, pass_over, projector, rows, stores
from .test_equality import ANY, batches

pytestmark = pytest.mark.usefixtures("saved_once")


#: How a batch ends: is the keeper killed at a write, before or after it; does it save; restart.
ends = st.tuples(st.integers(0, 6), st.booleans(), st.booleans(), st.booleans())


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

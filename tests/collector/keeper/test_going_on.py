"""A keeper that goes on with a day: what each case that is easily missed must still change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from collector.keeper import schoolday
from collector.keeper.midnight import midnight
from collector.store.base import Point

from .conftest import DAY, OTHER, SCHOOL, MakePoints
from .passes import (
    Fragile,
    keeper,
    news,
    pass_over,
    projector,
    rows,
    stores,
)  # fmt: skip


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


def test_a_changed_number_is_a_changed_report(make: MakePoints) -> None:
    """Python's hashes of -1 and -2 are equal."""
    with stores(1) as (store,):
        one, at = keeper(store), make.time("10:00")
        for offset in (-1, -2):
            store.write([make.agent(1, "10:00", offset_ms=offset)])
            pass_over(one, {(SCHOOL, 0): at})
            (row,) = store.read("machine_day", 0, 2**62)
            assert row.fields["offset_ms"] == offset


def test_a_pc_that_is_named_anew_leaves_its_room(make: MakePoints) -> None:
    with stores(2) as (new, whole):
        one = keeper(new)
        for at, name in (("10:00", "6-1-x"), ("10:05", "6-2-y")):
            tags = {"school": OTHER, "machine": make.machine(1)}
            raw = [make.agent(1, at, school=OTHER)]
            raw.append(Point("host", tags, {"hostname": name}, raw[0].time))
            for store in (new, whole):
                store.write(raw)
            pass_over(one, {(OTHER, 0): raw[0].time})
            pass_over(keeper(whole), {(OTHER, 0): 0})
            assert rows(new) == rows(whole)


def test_an_event_is_written_once(make: MakePoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the PC's later reports bring others."""
    written: list[int] = []
    with stores(1) as (store,):
        write = store.write
        one, changes = keeper(store), [True, True, False, False, True, True, True]
        for n, present in enumerate(changes):
            raw = projector(make, f"10:{5 * n:02}", DAY, present=present)
            write(raw)
            monkeypatch.setattr(
                store, "write",
                lambda points: (
                    written.extend(p.time for p in points if p.measurement == "event"),
                    write(points),
                ),
            )  # fmt: skip
            pass_over(one, {(SCHOOL, 0): raw[0].time})
            monkeypatch.undo()
        assert len(written) == len(set(written)) == 3, "appeared, gone, appeared"


def test_schools_are_read_and_written_together_and_one_bad_day_holds_up_none(
    make: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = schoolday.SchoolDay.go_on

    def bad(one: schoolday.SchoolDay, *given: Any) -> list[Point] | None:
        if one._school == OTHER:
            raise ValueError("a row that no rule expects")
        return known(one, *given)

    with stores(1) as (store,):
        one, asked, written = keeper(store), [], []
        read, write = store.read, store.write
        for at, fails in (("10:00", False), ("10:05", False), ("10:10", True)):
            raw = [make.agent(1, at, school=school) for school in (SCHOOL, OTHER)]
            write(raw)
            asked.clear()
            written.clear()
            with monkeypatch.context() as patch:
                patch.setattr(store, "read", lambda *a: (asked.append(a[0]), read(*a))[1])
                patch.setattr(store, "write", lambda p: (written.append(len(p)), write(p))[1])
                if fails:
                    patch.setattr(schoolday.SchoolDay, "go_on", bad)
                due = {point.tags["school"]: point.time for point in raw}
                failed = one.derive_schools(due, DAY, lambda *_: None)
            assert list(failed) == ([OTHER] if fails else [])
            if at != "10:00":
                assert asked == ["agent", "host", "device"]
                assert len(written) == 1, "the note stands since the first pass"
        (row,) = store.read("machine_day", 0, 2**62, {"school": SCHOOL})
        assert row.fields["reports"] == 3
        pass_over(one, {(OTHER, 0): due[OTHER]})
        (row,) = store.read("machine_day", 0, 2**62, {"school": OTHER})
        assert row.fields["reports"] == 3


def test_a_late_name_of_yesterday_binds_today(make: MakePoints) -> None:
    """In whatever order the two days' reports come."""
    yesterday = DAY - dt.timedelta(days=1)
    with stores(2) as (new, whole):
        one = keeper(new)
        first = make.agent(1, "10:00")
        late = [make.agent(1, "10:00", yesterday), make.host(1, "10:00", "6-1-x", yesterday)]
        for raw in ([first], late):
            for store in (new, whole):
                store.write(raw)
            pass_over(one, news([raw]))
        pass_over(keeper(whole), {(SCHOOL, -1): 0, (SCHOOL, 0): 0})
        assert rows(new) == rows(whole)
        rooms = [row.tags.get("room") for row in new.read("machine_day", midnight(DAY), 2**62)]
        assert rooms == [None, "6-1"], "the row without a room was there first"


def test_rows_that_cannot_be_written_hold_up_their_own_school_alone(
    make: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two schools are written together; a fault of one's rows that is not the store's is found."""
    with stores(1) as (store,):
        for school in (SCHOOL, OTHER):
            raw = projector(make, "10:00", DAY, present=True)
            store.write([p._replace(tags={**p.tags, "school": school}) for p in raw])
        write = Fragile.write

        def picky(self: Fragile, points: Sequence[Point]) -> None:
            if any(p.tags.get("school") == SCHOOL for p in points):
                raise ValueError("a value that nobody expects")
            write(self, points)

        monkeypatch.setattr(Fragile, "write", picky)
        one = keeper(store)
        one.begin()
        failed = one.derive_schools({SCHOOL: 0, OTHER: 0}, DAY, lambda *_: None)
        assert list(failed) == [SCHOOL]
        found = {point.tags["school"] for point in store.read("machine_day", 0, 2**62)}
        assert found == {OTHER}

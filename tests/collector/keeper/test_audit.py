"""The audit: every gap is found, and none where something explains it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from collector.doctor.delivery import clocks, gaps
from collector.keeper.audit import Audited, audit
from collector.store.base import Point

SCHOOL, PC, BOOT = "9900000001", "ab" * 16, "0123456789abcdef"
HOUR = 3600 * 10**9


class Points:
    def __init__(self, points: list[Point]) -> None:
        self._points = points

    def read(self, name: str, start: int, stop: int, tags: Any, fields: Any) -> list[Point]:
        assert name == "agent"
        return [point for point in self._points if start <= point.time < stop]


def agent(number: int, boot: str = BOOT, time: int = 0, **fields: Any) -> Point:
    tags = {"school": SCHOOL, "machine": PC}
    return Point("agent", tags, {"boot": boot, "number": number, **fields}, time or number)


def one(
    *points: Point, start: int = 0, aside: dict[tuple[str, str, str], int] | None = None
) -> Audited:
    [found] = audit(Points(list(points)), [SCHOOL], start, 2**62, Counter(aside or {}))  # type: ignore[arg-type]
    return found


def test_whole_boots_have_no_gap() -> None:
    found = one(*(agent(n) for n in (2, 3, 4)), *(agent(n, "f" * 16) for n in (2, 3)))
    assert (found.produced, found.stored, found.missing) == (5, 5, 0)


def test_a_number_that_is_nowhere_is_missing_also_the_first() -> None:
    assert one(agent(2), agent(4)).missing == 1
    assert one(agent(4)).missing == 2


def test_quarantine_drops_and_what_waits_explain_a_gap() -> None:
    assert one(agent(2), agent(4), aside={(SCHOOL, PC, BOOT): 1}).missing == 0
    # What another school's credential sets aside under this PC's id explains nothing.
    assert one(agent(2), agent(4), aside={("9900000002", PC, BOOT): 1}).missing == 1
    assert one(agent(2), agent(4, dropped_telemetry=1)).missing == 0
    assert one(agent(2), agent(9, outbox_rows=6)).missing == 0
    assert one(agent(2), agent(9, outbox_rows=2, lost=1)).missing == 3


def test_a_boot_from_before_the_audited_time_begins_at_its_first_number() -> None:
    start = 100 * HOUR
    old = [agent(n, time=start + n, uptime_s=7200.0) for n in (50, 51, 53)]
    found = one(*old, start=start)
    assert (found.produced, found.missing) == (4, 1)
    fresh = [agent(n, time=start + HOUR + n, uptime_s=60.0) for n in (3, 4)]
    assert one(*fresh, start=start).missing == 1


def test_drops_from_before_explain_nothing_now() -> None:
    start = 100 * HOUR
    rows = [agent(n, time=start + n, dropped_telemetry=9, uptime_s=7200.0) for n in (50, 53)]
    assert one(*rows, start=start).missing == 2


def test_doctor_lists_gaps_and_clocks() -> None:
    bad = one(agent(2), agent(5, offset_ms=-400_000))
    assert gaps([bad]).detail.endswith(f"{SCHOOL} {PC}: 2")
    assert "--ask-again" in gaps([bad]).fix
    assert f"{PC}: +400 s" in clocks([bad]).detail, "its clock is fast"
    good = one(agent(2, offset_ms=299_000))
    assert gaps([good]).ok
    assert clocks([good]).ok

"""Line tests that are evidence: matched with the measurement server's record. Pure."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.common.calendar import Calendar, local_day, local_time
from agent.common.vocabulary.reasons import codes
from agent.common.vocabulary.thresholds import OTHER_TRAFFIC
from collector.compliance.model import LineRecord, LineTest
from collector.compliance.networks import Networks, inside, networks
from collector.roster.register import Register

#: The agent measures frames and the server payload: they differ by frame overhead and slack.
RATE_MARGIN = 1.08
#: A short test with more than this times the long test's rate measured a burst.
SUSTAINED = 1.05

#: Evidence that arrived so many days after its time counts, and is in doubt.
LATE_DAYS = 7
#: How long a long test speaks for the short ones after it: two of the weekly ones. A bound, as a
#: reader of a window must know how far back it has to look.
SPEAKS = dt.timedelta(days=14)
_SPEAKS_NS = SPEAKS // dt.timedelta(microseconds=1) * 1000
#: A test shorter than this, s, has no whole lesson in it; one longer than a day is not asked.
_LESSON_S, _DAY_S = 300, 86_400

#: A lease is a few minutes, so a report further from the server's record has a wrong time.
APART_NS = 10 * 60 * 10**9


class Trial(NamedTuple):
    """One test of a line, judged: a rate on the wire in Mbit/s, or why it is not evidence."""

    time: int
    day: dt.date
    quiet: bool
    rate: float | None
    fault: str = ""
    simulated: bool = False
    long: bool = False
    burst: bool = False
    pc_mbps: float | None = None
    doubts: tuple[str, ...] = ()


@dataclass(slots=True)
class LineDays:
    """A line's tests, oldest first: the valid ones, and the faults of the others by day.

    `pc_mbps` is what each test's PC can be relied on to show: its network card's own rate; 0.0 if
    its processor held the test back, or if either is not known.
    """

    days: list[dt.date] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    quiet: list[bool] = field(default_factory=list)
    pc_mbps: list[float] = field(default_factory=list)
    refused: list[tuple[dt.date, str]] = field(default_factory=list)
    doubted: list[tuple[dt.date, str]] = field(default_factory=list)
    simulated: bool = False

    def refusals(self, first: dt.date, last: dt.date) -> Counter[str]:
        """How many tests of these days are not evidence, by reason."""
        return Counter(fault for day, fault in self.refused if first <= day <= last)

    def doubts(self, first: dt.date, last: dt.date) -> Counter[str]:
        """How many tests of these days count and are in doubt, by why."""
        return Counter(doubt for day, doubt in self.doubted if first <= day <= last)


Lines = Mapping[tuple[str, str], LineDays]
TestKey = tuple[str, str, str]  # school, line, id of the test
UNTESTED = LineDays()


def by_line(
    tests: Iterable[LineTest],
    records: Iterable[LineRecord],
    register: Register,
    cutoff: dt.date,
) -> Lines:
    """All tests up to the cut-off, matched and judged, by (school, line)."""
    trials: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    tests, records = list(tests), list(records)
    schools = {row.school for row in tests}
    allowed = networks(line for school in schools for line in register.lines_of.get(school, ()))
    for key, trial in _trials(tests, records, register.calendar, allowed):
        if trial.day <= cutoff:
            trials[key].append(trial)
    found: dict[tuple[str, str], LineDays] = defaultdict(LineDays)
    for key, mine in trials.items():
        for trial in _without_bursts(sorted(mine, key=lambda trial: (trial.time, trial.fault))):
            _add(found[key], trial)
    return found


def judged_tests(
    tests: Iterable[LineTest], records: Iterable[LineRecord], register: Register
) -> Mapping[tuple[str, str], list[Trial]]:
    """Every test of these lines with what became of it, oldest first, by school and line."""
    tests, records = list(tests), list(records)
    allowed = networks(line for key in {row.school for row in (*tests, *records)}
                       for line in register.lines_of.get(key, ()))  # fmt: skip
    found: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for key, trial in _trials(tests, records, register.calendar, allowed):
        found[key].append(trial)
    return {
        key: list(_without_bursts(sorted(mine, key=lambda trial: (trial.time, trial.fault))))
        for key, mine in found.items()
    }


def _without_bursts(trials: Sequence[Trial]) -> Iterable[Trial]:
    """On a line with a burst bucket, refuse short tests faster than its long test sustains.

    Each is compared with the long test before it, if that is not older than `SPEAKS`, else with the
    one after it. A long test that a PC is known to have held back does not show what the line
    sustains.
    """
    longs = [
        trial
        for trial in trials
        if trial.long and trial.rate is not None and not trial.fault and trial.pc_mbps != 0
    ]
    times = [trial.time for trial in longs]
    for trial in trials:
        after = bisect_right(times, trial.time)
        before = bool(after) and trial.time - times[after - 1] <= _SPEAKS_NS
        against = next(iter(longs[after - before :]), None)
        yield trial._replace(fault="burst") if _exceeds(trial, against) else trial


def _exceeds(trial: Trial, long: Trial | None) -> bool:
    if long is None or not long.burst or long.rate is None:
        return False
    short = not trial.fault and not trial.long and trial.rate is not None
    return short and (trial.rate or 0.0) > SUSTAINED * long.rate


def _add(line: LineDays, trial: Trial) -> None:
    line.simulated |= trial.simulated
    if trial.fault or trial.rate is None:
        line.refused.append((trial.day, trial.fault))
        return
    line.days.append(trial.day)
    line.rates.append(trial.rate)
    line.quiet.append(trial.quiet)
    line.pc_mbps.append(trial.pc_mbps or 0.0)
    line.doubted += ((trial.day, doubt) for doubt in trial.doubts)


def _trials(
    tests: Iterable[LineTest],
    records: Iterable[LineRecord],
    calendar: Calendar,
    allowed: Networks,
) -> Iterable[tuple[tuple[str, str], Trial]]:
    """Every test once; a record without a report is a failed test."""
    kept = _by_test(records)
    used: set[TestKey] = set()
    for test, record in _own_first(tests, kept):
        key = test.school, test.line, test.test
        place = key[:2]
        fault = "used_twice" if key in used else fault_of(test, record)
        if not fault and record and not inside(record.address, allowed.get(place, ())):
            fault = "other_network"
        used.add(key)
        yield place, _trial(test, fault, _doubts_of(test, record), calendar)
    for key, row in kept.items():
        if key not in used:
            day = local_day(row.time // 10**9)
            yield key[:2], Trial(row.time, day, True, None, "no_report", row.simulated)


def _doubts_of(test: LineTest, record: LineRecord | None) -> tuple[str, ...]:
    """Why a test that counts is in doubt, as codes of `reasons.REASONS`."""
    late = test.late_days >= LATE_DAYS or (record is not None and record.late_days >= LATE_DAYS)
    other = record is not None and record.machine != test.machine
    signs = {"other_machine": other, "late": late, "lossy": test.lossy}
    return tuple(why for why, holds in signs.items() if holds)


def _by_test(records: Iterable[LineRecord]) -> dict[TestKey, LineRecord]:
    """A record per test: the first, if the server kept several."""
    kept: dict[TestKey, LineRecord] = {}
    for row in records:
        known = kept.setdefault((row.school, row.line, row.test), row)
        if (row.time, row.machine) < (known.time, known.machine):
            kept[row.school, row.line, row.test] = row
    return kept


def _own_first(
    tests: Iterable[LineTest], records: Mapping[TestKey, LineRecord]
) -> Sequence[tuple[LineTest, LineRecord | None]]:
    """The tests by time, each with its record, if any.

    Of two with the same id, the one of the machine in the record comes first.
    """

    def place(pair: tuple[LineTest, LineRecord | None]) -> tuple[bool, int, str]:
        test, record = pair
        foreign = record is not None and record.machine != test.machine
        return foreign, test.time, test.machine

    found = [(test, records.get((test.school, test.line, test.test))) for test in tests]
    return sorted(found, key=place)


def _trial(test: LineTest, fault: str, doubts: tuple[str, ...], calendar: Calendar) -> Trial:
    end = local_time(test.time // 10**9)
    return Trial(
        test.time,
        end.date(),
        _is_quiet(test, end, calendar),
        test.down_mbps,
        fault,
        test.simulated,
        test.long,
        test.burst,
        pc_mbps(test),
        doubts,
    )


def _is_quiet(test: LineTest, end: dt.datetime, calendar: Calendar) -> bool:
    """Whether no second of it was in lessons; one of unknown length may have been."""
    if test.seconds is None or test.seconds > _DAY_S:
        return False
    start = end - dt.timedelta(seconds=test.seconds)
    if not (calendar.is_quiet(end) and calendar.is_quiet(start)):
        return False
    return test.seconds < _LESSON_S or not calendar.begins(start, end)


def pc_mbps(test: LineTest) -> float | None:
    """How fast a line the test's PC could have shown, in Mbit/s: its network card's own rate.

    0.0 if its processor held the test back, None if either is not known. The reports of older
    agents have neither field: that their PC was no limit is not shown, so their tests count as
    those of a PC that may have been one. A low reading of such a test may be the PC's and is no
    evidence; a high one proves the line all the same, as nothing in a PC raises a reading.
    """
    if test.pc_limited or "pc_limited" in codes(test.reason):
        return 0.0
    # Drivers that do not know their rate say 0.
    return (test.nic_mbps or None) if test.pc_limited is False else None


def fault_of(test: LineTest, record: LineRecord | None) -> str:
    """Why a test is not evidence, as a code of `reasons.REASONS`; empty if it is valid."""
    return _fault_of_test(test) or _fault_of_record(test, record)


def _fault_of_test(test: LineTest) -> str:
    """Faults in the agent's report; a missing value counts against the test."""
    if test.outcome != "ok":
        return "error"
    if test.down_mbps is None:
        return "no_rate"
    if test.wired is not True:
        return "loopback" if test.interface.startswith("lo") else "not_wired"
    if test.solo is not True:
        return "not_alone"
    if test.other_share is None or test.other_share >= OTHER_TRAFFIC:
        return "other_traffic"
    if test.server_limited is not False:
        return "server_limited"
    # What the PC limited is no fault: it may still prove.
    return "said_invalid" if codes(test.reason) - {"pc_limited"} else ""


def _fault_of_record(test: LineTest, record: LineRecord | None) -> str:
    """Contradictions to the server's record: time, bytes sent, and rate must fit.

    Without the check of the time, one evening's tests could be reported for ten days.
    """
    if record is None:
        return "no_record"
    if record.outcome != "ok":
        return "record_failed"
    if abs(test.time - record.time) > APART_NS:
        return "time"
    if not record.solo:
        return "not_alone"
    if record.server_limited:
        return "record_limited"
    if test.payload_down is None or test.payload_down > record.sent_bytes:
        return "payload"
    if record.down_mbps is None or (test.down_mbps or 0) > RATE_MARGIN * record.down_mbps:
        return "rate"
    return ""

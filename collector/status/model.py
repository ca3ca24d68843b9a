"""How schools stand: findings from what the register, the store and the notes say. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from agent.common.calendar import Calendar, local_time, start_of
from agent.common.vocabulary.standing import REPORTING, STATES
from collector.keeper.audit import CLOCK_MS
from collector.roster.register import Register, School

#: Open hours without a report that make a school silent; as the boards' alert has it.
SILENT_HOURS = 3
_RANK = {code: place for place, code in enumerate(STATES)}
_HOUR_MS = 3_600_000
#: PCs that a finding names.
NAMED = 5


class Machine(NamedTuple):
    """The last day's row of a PC. Times are ms since 1970 UTC; None: not said."""

    school: str
    machine: str
    last_ms: int
    version: str = ""
    offset_ms: int | None = None


class LastTest(NamedTuple):
    """The last line test of a PC."""

    school: str
    machine: str
    outcome: str
    reason: str


_Row = TypeVar("_Row", Machine, LastTest)


class Facts(NamedTuple):
    """What is known. `held`: reasons of the last day by school. None: nobody knows.

    `last_ms` has schools that reported in the last year; `machines` those of the last two days.
    """

    register: Register
    now_ms: int
    as_of_ms: int | None
    last_ms: Mapping[str, int]
    machines: Sequence[Machine]
    tests: Sequence[LastTest] = ()
    held: Mapping[str, Sequence[str]] = {}
    enrolled: frozenset[str] | None = None
    keys: frozenset[str] | None = None


class Finding(NamedTuple):
    """One thing that is wrong: a code of `vocabulary.standing`, whom it is about, and why.

    `affected` of `of` PCs, 0 of 0 where it is about the school; `reasons` are codes of
    `vocabulary.held` or `vocabulary.reasons`, or a version; `machines` are the first few ids.
    """

    code: str
    reasons: tuple[str, ...] = ()
    affected: int = 0
    of: int = 0
    machines: tuple[str, ...] = ()


class Standing(NamedTuple):
    """One school. `last_ms`: its last report, None: never; `pcs`: of the last two days."""

    school: str
    name: str
    district: str
    state: str
    last_ms: int | None
    pcs: int
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Standing:
        """From a school's row of `status --json`. Raises TypeError: it is none."""
        findings = tuple(Finding(**finding) for finding in row["findings"])
        return cls(**{**row, "findings": findings})


class City(NamedTuple):
    """All schools, the worst first.

    Days were derived up to `as_of_ms`, ms since 1970 UTC; None: none in the last week.
    """

    now_ms: int
    as_of_ms: int | None
    schools: tuple[Standing, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many schools are in each state, in the order of `vocabulary.standing`."""
        found = Counter(row.state for row in self.schools)
        return {code: found[code] for code in STATES if found[code]}

    @property
    def findings(self) -> dict[str, list[str]]:
        """By code, the schools that it was found at, whatever their state."""
        found: dict[str, list[str]] = {code: [] for code in STATES}
        for row in self.schools:
            for finding in row.findings:
                found[finding.code].append(row.school)
        return {code: schools for code, schools in found.items() if schools}

    @property
    def problems(self) -> tuple[Standing, ...]:
        """The schools that something is wrong at."""
        return tuple(row for row in self.schools if row.state != REPORTING)


def judge(facts: Facts) -> City:
    """Every school that is open for good, the worst first."""
    today = local_time(facts.now_ms / 1000).date()
    by_school = _grouped(facts.machines)
    tests = _grouped(facts.tests)
    newest = newest_version(facts.machines)
    rows = [
        _standing(facts, school, by_school.get(code, []), tests.get(code, []), newest)
        for code, school in facts.register.schools.items()
        if (school.opened is None or school.opened <= today)
        and (school.closed is None or school.closed > today)
    ]
    return City(facts.now_ms, facts.as_of_ms, tuple(sorted(rows, key=_worst_first)))


def _grouped(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.school, []).append(row)
    return found


def _worst_first(row: Standing) -> tuple[int, int, str]:
    return _RANK[row.state], row.last_ms or 0, row.school


def _standing(
    facts: Facts, school: School, pcs: list[Machine], tests: list[LastTest], newest: str
) -> Standing:
    found = [
        *_reports(facts, school.code),
        *_credentials(facts, school.code),
        *_tests(tests),
        *_retired(facts.register, school.code, pcs),
        *_machines(pcs, newest),
    ]
    found.sort(key=lambda finding: _RANK[finding.code])
    state = found[0].code if found else REPORTING
    district = facts.register.district_of(school.code)
    last = facts.last_ms.get(school.code)
    return Standing(school.code, school.name, district, state, last, len(pcs), tuple(found))


def _reports(facts: Facts, code: str) -> Iterator[Finding]:
    if reasons := facts.held.get(code):
        yield Finding("held", tuple(reasons))
    last = facts.last_ms.get(code)
    # Reports may have come since, of which the keeper has derived no day yet.
    if last is None:
        yield Finding("never_seen")
    elif silent(facts.register.calendar, last, facts.as_of_ms or facts.now_ms):
        yield Finding("silent")


def silent(calendar: Calendar, last_ms: int, until_ms: int) -> bool:
    """Whether `SILENT_HOURS` open hours or more lie between the last report and `until_ms`."""
    wanted = SILENT_HOURS * _HOUR_MS
    day = local_time(last_ms / 1000).date()
    end = local_time(until_ms / 1000).date()
    while day <= end and wanted > 0:
        if calendar.is_open_day(day):
            wanted -= _open_between(calendar, day, last_ms, until_ms)
        day += dt.timedelta(days=1)
    return wanted <= 0


def _open_between(calendar: Calendar, day: dt.date, first_ms: int, last_ms: int) -> int:
    zone = start_of(day).tzinfo
    opens, closes = (
        int(dt.datetime.combine(day, time, zone).timestamp() * 1000) for time in calendar.hours.open
    )
    return max(0, min(closes, last_ms) - max(opens, first_ms))


def _credentials(facts: Facts, code: str) -> Iterator[Finding]:
    if facts.enrolled is not None and code not in facts.enrolled:
        yield Finding("not_enrolled")
    elif facts.keys is not None and code not in facts.keys:
        yield Finding("key_missing")


def _tests(tests: list[LastTest]) -> Iterator[Finding]:
    refused = [test for test in tests if test.outcome == "refused"]
    if refused:
        reasons = Counter(test.reason for test in refused)
        named = tuple(sorted(test.machine for test in refused)[:NAMED])
        yield Finding(
            "tests_refused",
            tuple(code for code, _ in reasons.most_common()),
            len(refused), len(tests), named,
        )  # fmt: skip


def _retired(register: Register, code: str, pcs: list[Machine]) -> Iterator[Finding]:
    found = [pc.machine for pc in pcs if _is_retired(register, code, pc.machine)]
    if found:
        yield Finding("retired_reports", (), len(found), len(pcs), tuple(sorted(found)[:NAMED]))


def _is_retired(register: Register, code: str, machine: str) -> bool:
    decided = register.decided.get((code, machine))
    return decided is not None and decided.act == "retire"


def _machines(pcs: list[Machine], newest: str) -> Iterator[Finding]:
    off = [pc for pc in pcs if abs(pc.offset_ms or 0) > CLOCK_MS]
    if off:
        off.sort(key=lambda pc: -abs(pc.offset_ms or 0))
        named = tuple(pc.machine for pc in off[:NAMED])
        yield Finding("clock_off", (), len(off), len(pcs), named)
    old = [pc for pc in pcs if pc.version and order(pc.version) < order(newest)]
    if old:
        named = tuple(sorted(pc.machine for pc in old)[:NAMED])
        yield Finding("old_version", (newest,), len(old), len(pcs), named)


def newest_version(pcs: Sequence[Machine]) -> str:
    """The newest version that PCs of two schools run, or the only school; empty: none is known.

    What the holder of one school's credential invents makes no other school old.
    """
    schools: dict[str, set[str]] = {}
    for pc in pcs:
        if pc.version:
            schools.setdefault(pc.version, set()).add(pc.school)
    enough = min(2, len({pc.school for pc in pcs}))
    common = [version for version, where in schools.items() if len(where) >= enough]
    return max(common, key=order, default="")


def order(version: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts versions: 1.10 after 1.9, and 2.0rc1 before 2.0.

    A part that is no number sorts before every number, so what others invent raises nothing.
    """
    parts = version.split(".")[:8]
    whole: list[tuple[int, int, str]] = []
    for part in parts:
        digits = part[: len(part) - len(part.lstrip("0123456789"))][:9]
        rest = part[len(digits) :]
        whole.append((int(digits or -1), 0 if rest else 1, rest))
    return tuple(whole)

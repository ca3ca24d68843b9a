"""How schools stand, judged from facts alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME, Calendar
from agent.common.vocabulary.standing import FIXES, STATES
from collector.roster.register import Decision, Register, School
from collector.status.model import (
    Facts,
    LastTest,
    Machine,
    judge,
    newest_version,
    order,
    silent,
)

A, B, C = "9900000001", "9900000002", "9900000003"


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=CITY_TIME).timestamp() * 1000)


NOW = ms("2026-11-25T11:00")  # a Wednesday


def register(*codes: str, **more: Any) -> Register:
    return Register({c: School(c, f"示例{c}", "630102", "小学", "630102") for c in codes}, **more)


def facts(*codes: str, **more: Any) -> Facts:
    known: dict[str, Any] = {"last_ms": dict.fromkeys(codes, NOW), "machines": ()}
    return Facts(**{"register": register(*codes), "now_ms": NOW, "as_of_ms": NOW} | known | more)


def codes_of(given: Facts, school: str = A) -> list[str]:
    (row,) = (row for row in judge(given).schools if row.school == school)
    assert row.state == (row.findings[0].code if row.findings else "reporting")
    return [finding.code for finding in row.findings]


def test_a_school_whose_pcs_report_has_no_finding() -> None:
    assert codes_of(facts(A, machines=[Machine(A, "a", NOW, "1.0.0", 20)])) == []


def test_a_school_that_never_reported() -> None:
    assert codes_of(facts(A, last_ms={})) == ["never_seen"]


@pytest.mark.parametrize(
    ("last", "until", "is_silent"),
    [
        ("2026-11-25T08:30", "2026-11-25T11:00", False),  # two and a half open hours
        ("2026-11-25T08:00", "2026-11-25T11:00", True),
        ("2026-11-24T17:59", "2026-11-25T07:31", False),  # the night counts for nothing
        ("2026-11-24T16:00", "2026-11-25T08:30", True),  # two hours of one day, one of the next
        ("2026-11-20T17:00", "2026-11-22T23:00", False),  # a weekend
        ("2026-11-20T17:00", "2026-11-23T09:31", True),
        ("2026-11-25T12:00", "2026-11-25T11:00", False),  # days are derived up to before it
    ],
)
def test_silence_is_counted_in_open_hours(last: str, until: str, is_silent: bool) -> None:
    assert silent(Calendar(), ms(last), ms(until)) is is_silent


def test_holidays_make_no_school_silent() -> None:
    holidays = frozenset(dt.date(2026, 10, day) for day in range(1, 8))
    calendar = Calendar(holidays=holidays)
    assert not silent(calendar, ms("2026-09-30T17:30"), ms("2026-10-07T23:00"))
    assert silent(calendar, ms("2026-09-30T17:30"), ms("2026-10-08T10:01"))


def test_a_keeper_that_is_behind_makes_no_school_silent() -> None:
    last = {A: ms("2026-11-24T17:00")}
    assert codes_of(facts(A, last_ms=last)) == ["silent"]
    assert codes_of(facts(A, last_ms=last, as_of_ms=ms("2026-11-24T18:00"))) == []


def test_held_reports_come_before_all_else() -> None:
    given = facts(A, last_ms={}, held={A: ["unknown_line"]}, enrolled=frozenset())
    assert codes_of(given) == ["held", "not_enrolled", "never_seen"]
    (row,) = judge(given).schools
    assert row.findings[0].reasons == ("unknown_line",)


def test_a_city_without_enrolment_or_keys_misses_none() -> None:
    assert codes_of(facts(A, enrolled=None, keys=None)) == []
    assert codes_of(facts(A, enrolled=frozenset({A}), keys=frozenset())) == ["key_missing"]
    assert codes_of(facts(A, enrolled=frozenset(), keys=frozenset())) == ["not_enrolled"]


def test_tests_refused_name_the_most_frequent_reason_first() -> None:
    tests = [
        LastTest(A, "a", "refused", "unknown_line"), LastTest(A, "b", "refused", "key_refused"),
        LastTest(A, "c", "refused", "key_refused"), LastTest(A, "d", "ok", ""),
    ]  # fmt: skip
    (row,) = judge(facts(A, tests=tests)).schools
    (finding,) = row.findings
    assert finding.reasons == ("key_refused", "unknown_line")
    assert (finding.affected, finding.of, finding.machines) == (3, 4, ("a", "b", "c"))


def test_only_retired_pcs_are_reported_as_such() -> None:
    acts = [Decision(A, "a", "retire"), Decision(A, "b", "merge", "c"), Decision(A, "d", "retire"),
            Decision(A, "d", "forget")]  # fmt: skip
    known = register(A, decisions=acts)
    pcs = [Machine(A, name, NOW) for name in "abd"]
    (row,) = judge(facts(A, register=known, machines=pcs)).schools
    assert [(f.code, f.machines) for f in row.findings] == [("retired_reports", ("a",))]


def test_clocks_off_by_more_than_five_minutes_the_worst_first() -> None:
    offsets = {"a": 299_000, "b": -301_000, "c": 10**12, "d": None}
    pcs = [Machine(A, name, NOW, "", offset) for name, offset in offsets.items()]
    (row,) = judge(facts(A, machines=pcs)).schools
    assert [(f.code, f.machines, f.of) for f in row.findings] == [("clock_off", ("c", "b"), 4)]


def test_one_school_cannot_make_the_others_old() -> None:
    pcs = [Machine(A, "a", NOW, "99.0"), Machine(B, "b", NOW, "1.10.0"),
           Machine(C, "c", NOW, "1.10.0"), Machine(C, "d", NOW, "1.9.0")]  # fmt: skip
    assert newest_version(pcs) == "1.10.0"
    given = facts(A, B, C, machines=pcs)
    assert [codes_of(given, code) for code in (A, B, C)] == [[], [], ["old_version"]]


def test_versions_sort_as_people_count() -> None:
    versions = ["x", "", "1.0rc1", "1.0", "1.0.1", "1.2", "1.10", "2.0rc1", "2.0"]
    mixed = [*versions[1::2], *versions[::2]]
    assert sorted(mixed, key=order) == versions
    order("9" * 10_000 + "." * 10_000)  # what others invent costs nothing


def test_closed_schools_and_those_to_come_are_left_out() -> None:
    schools = {
        A: School(A, "甲", "630102", "小学", "630102", closed=dt.date(2026, 7, 1)),
        B: School(B, "乙", "630102", "小学", "630102", opened=dt.date(2027, 9, 1)),
        C: School(C, "丙", "630102", "小学", "630102"),
    }
    assert [row.school for row in judge(facts(register=Register(schools))).schools] == [C]


def test_the_worst_comes_first_and_is_counted() -> None:
    city = judge(facts(A, B, C, last_ms={A: NOW, B: NOW}, held={B: ["simulated"]}))
    assert [row.school for row in city.schools] == [B, C, A]
    assert city.counts == {"held": 1, "never_seen": 1, "reporting": 1}
    assert city.findings == {"held": [B], "never_seen": [C]}
    assert [row.school for row in city.problems] == [B, C]


def test_each_state_says_what_to_do() -> None:
    assert set(FIXES) == set(STATES) - {"held", "reporting"}

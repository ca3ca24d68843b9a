"""Which hostnames a pattern of the sheets names: those that `fnmatch` says, whatever it costs."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.roster.register import Machine, Register, School

SCHOOL = "9900000001"
_words = st.text("aAbB1-", max_size=5)
_patterns = st.lists(st.sampled_from(["a", "B", "1", "-", "*", "?", "[ab]", "[", "]"]), max_size=6)


def room_for(hostname: str, *patterns: str) -> str:
    rows = [Machine(SCHOOL, f"{n}", pattern) for n, pattern in enumerate(patterns)]
    known = Register({SCHOOL: School(SCHOOL, "示例", "630102", "小学", "630102")}, machines=rows)
    return known.room_for(SCHOOL, "ab" * 16, hostname)


@given(_words, _patterns.map("".join))
def test_a_pattern_names_what_fnmatch_says(hostname: str, pattern: str) -> None:
    wanted = bool(hostname) and fnmatch.fnmatchcase(hostname.lower(), pattern.lower())
    assert (room_for(hostname, pattern) == "0") == wanted


@pytest.mark.parametrize(
    ("hostname", "room"), [("6-1-3", "0"), ("6-12", "1"), ("6-1", "2"), ("7-1-3", ""), ("", "")]
)
def test_the_first_pattern_that_fits_wins(hostname: str, room: str) -> None:
    assert room_for(hostname, "6-1-*", "6-12", "6-1*") == room


def test_a_beginning_and_an_end_do_not_share_a_letter() -> None:
    assert room_for("aba", "ab*ba") == ""
    assert room_for("abba", "ab*ba") == "0"

"""Silence never flatters: no share rises for it, and it turns no yes into a no."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.compliance.model import Verdict
from random_towns import LONG, LineDays, Room, Schools, build, lines, rooms, schools, shares


@given(st.tuples(rooms, lines), st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_falling_silent_never_raises_a_share(
    new_town: Callable[[], Any], row: tuple[Room, LineDays], spoke_last: int
) -> None:
    """Let a school fall silent `spoke_last` days before the cut-off, nobody inspecting it after.
    Judged when its whole window is silent, no share is above all that it was since it last spoke,
    while its last evidence was in the window."""
    town = build(new_town, [row])
    last = town.ago(spoke_last)
    town.room_days = [row for row in town.room_days if row.day <= last]
    end = int(dt.datetime.combine(last, dt.time(16, 0), dt.UTC).timestamp()) * 10**9
    town.tests = [row for row in town.tests if row.time < end]
    town.records = [row for row in town.records if row.time < end]
    town.inspections = [row for row in town.inspections if row.day <= last]
    late = town.figure(last + dt.timedelta(days=LONG))
    spoken = cache(lambda days: town.figure(last + dt.timedelta(days=days)).tallies)
    for key, tally in late.tallies.items():
        for nth, silent in enumerate(shares(tally) if tally.all else ()):
            assert any(silent <= shares(spoken(day)[key])[nth] for day in range(LONG)), key


@given(schools)
@settings(max_examples=60, deadline=None)
def test_what_a_silent_unit_said_long_ago_never_raises_a_share(
    new_town: Callable[[], Any], rows: Schools
) -> None:
    """Let no unit be inspected and every unit be silent through its whole window. Then each
    share is at most what the register alone gives, whatever was said before the window."""
    town = build(new_town, rows)
    town.inspections = []
    cutoff = town.cutoff + dt.timedelta(days=LONG)
    spoken = town.figure(cutoff)
    town.room_days, town.tests, town.records = [], [], []
    for key, tally in town.figure(cutoff).tallies.items():
        if tally.all:
            pairs = zip(shares(spoken.tallies[key]), shares(tally), strict=True)
            assert all(said <= register for said, register in pairs), key


@given(schools, st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_removing_all_telemetry_of_a_unit_never_raises_the_headline(
    new_town: Callable[[], Any], rows: Schools, which: int
) -> None:
    """Of a unit without inspection; the areas that count it are its school, district, city."""
    town = build(new_town, rows)
    code = f"990102{which % len(rows):04d}"
    town.inspections = [row for row in town.inspections if row.school != code]
    before = town.figure()
    for name in ("room_days", "tests", "records"):
        setattr(town, name, [row for row in getattr(town, name) if row.school != code])
    for key, tally in town.figure().tallies.items():
        if tally.all:
            assert shares(tally)[0] <= shares(before.tallies[key])[0], key


@given(st.tuples(rooms, lines))
@settings(max_examples=15, deadline=None)
def test_a_day_without_evidence_never_turns_a_yes_into_a_no(
    new_town: Callable[[], Any], row: tuple[Room, LineDays]
) -> None:
    town = build(new_town, [row])
    good: set[tuple[str, str]] = set()
    for days in range(0, LONG, 4):
        for unit in town.figure(town.ago(-days)).units:
            key = unit.indicator, unit.name
            denied = unit.steps[-1].numbers["because"] != "register"
            if unit.verdict in (Verdict.VERIFIED, Verdict.INSPECTED):
                good.add(key)
            elif unit.verdict in (Verdict.CONTRADICTED, Verdict.SHORT):
                assert not (denied and key in good), (key, days)

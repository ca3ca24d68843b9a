"""The figure is a plain count: the method once more, slowly, day after day, with no shortcut."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import given, settings

from collector.compliance.model import Verdict
from collector.compliance.window import months_after
from random_towns import BACK, OPEN_DAYS, LineDays, Room, Schools, build, schools, shares


@cache
def first_day(last: dt.date) -> dt.date:
    weekdays = [d for n in range(BACK + 1) if (d := last - dt.timedelta(days=n)).weekday() < 5]
    return weekdays[OPEN_DAYS - 1]


Word = tuple[str, dt.date] | None


def last_word(cutoff: dt.date, word: Callable[[dt.date], Word]) -> dict[str, dt.date | None]:
    said: dict[str, dt.date | None] = {"yes": None, "no": None, "cleared": None}
    now = word(cutoff)
    if now and now[0] == "yes":
        return said | {"yes": now[1]}
    denied = []
    for day in (cutoff - dt.timedelta(days=back) for back in range(600)):
        then = word(day)
        if then and then[0] == "yes":
            later = [no for no in denied if no > day]
            return said | ({"no": max(later)} if later else {"cleared": then[1]})
        denied += [then[1]] if then else []
    return said | {"no": max(denied, default=None)}


def ruled(
    said: dict[str, dt.date | None], visits: list[tuple[dt.date, bool]], says: bool | None,
    cutoff: dt.date,
) -> Verdict:  # fmt: skip
    never = dt.date.min
    known = [(day, found) for day, found in visits if day <= cutoff]
    no = max([said["no"] or never, *(day for day, found in known if not found)])
    yes = max([never, *(day for day, found in known if found)])
    if (said["yes"] or never) > no:
        return Verdict.VERIFIED
    if yes > no and months_after(yes, 12) >= cutoff:
        return Verdict.INSPECTED
    if no > never and max(yes, said["yes"] or never, said["cleared"] or never) <= no:
        return Verdict.CONTRADICTED if says else Verdict.SHORT
    return {True: Verdict.DECLARED, False: Verdict.SHORT, None: Verdict.UNKNOWN}[says]


def room_word(room: Room, cutoff: dt.date) -> Callable[[dt.date], Word]:
    days = {cutoff - dt.timedelta(days=n): seen for n, seen in room.days.items()}

    def word(last: dt.date) -> Word:
        inside = {d: seen for d, seen in days.items() if first_day(last) <= d <= last}
        good = [d for d, seen in inside.items() if seen]
        bad = [d for d, seen in inside.items() if not seen and d > max([dt.date.min, *good])]
        if len(bad) >= 3:
            return "no", max(bad)
        return ("yes", max(good)) if len(good) >= 3 else None

    return word


def line_word(line: LineDays, cutoff: dt.date) -> Callable[[dt.date], Word]:
    tests = [(cutoff - dt.timedelta(days=n), slot, rate) for n, slot, rate in line.tests]

    def word(last: dt.date) -> Word:
        inside = [t for t in tests if first_day(last) <= t[0] <= last]
        quiet = [t for t in inside if t[1] != 2 or t[0].weekday() >= 5]
        for rows, can_deny in ((quiet, True), (inside, False)):
            if len(rows) < 10 or len({t[0] for t in rows}) < 5:
                continue
            rates = sorted(t[2] for t in rows)
            p90 = next(r for r in rates if sum(x <= r for x in rates) * 10 >= 9 * len(rates))
            if p90 >= 9.7:
                return "yes", max(t[0] for t in inside if t[2] >= 9.7)
            return ("no", max(t[0] for t in inside if t[2] < 9.7)) if can_deny else None
        return None

    return word


def expected(room: Room, line: LineDays, cutoff: dt.date) -> dict[str, Verdict]:
    def dated(rows: list[tuple[int, bool]]) -> list[tuple[dt.date, bool]]:
        return [(cutoff - dt.timedelta(days=n), found) for n, found in rows]

    owned = None if room.owned is None else room.owned > 0
    contract = None if line.contract is None else line.contract >= 10
    proof = [cutoff - dt.timedelta(days=n) for n in room.days if room.seats and room.pcs >= 8]
    newest = max(proof, default=None)
    fresh = newest is not None and newest >= first_day(cutoff)
    pcs = {"yes": newest if fresh else None, "no": None, "cleared": None if fresh else newest}
    by_room = last_word(cutoff, room_word(room, cutoff))
    by_line = last_word(cutoff, line_word(line, cutoff))
    return {
        "multimedia": ruled(by_room, dated(room.visits), owned, cutoff),
        "computer_room": ruled(pcs, dated(room.visits), True, cutoff),
        "line": ruled(by_line, dated(line.visits), contract, cutoff),
    }


@given(schools)
@settings(max_examples=80, deadline=None)
def test_the_figure_is_a_brute_force_count(new_town: Callable[[], Any], rows: Schools) -> None:
    town = build(new_town, rows)
    count: dict[tuple[str, str], Counter[Verdict]] = {}
    for number, (room, line) in enumerate(rows):
        district = ("630102", "630103")[number % 2]
        for indicator, verdict in expected(room, line, town.cutoff).items():
            for area in ("630100", district, f"990102{number:04d}"):
                count.setdefault((area, indicator), Counter())[verdict] += 1
    tallies = town.figure().tallies
    assert {key: tally.counts for key, tally in tallies.items()} == count
    for tally in tallies.values():
        by_telemetry = tally.share(Verdict.VERIFIED)
        assert by_telemetry is not None
        assert list(shares(tally)) == sorted(shares(tally))
        assert by_telemetry <= shares(tally)[0]

"""Signs of doubt of a school: evidence that a holder of its credential could make up. Pure.

A sign refuses nothing and changes no verdict. Each has a number, see `vocabulary.doubts.SIGNS`:

- of machine ids, what the keeper found in each day's reports (`keeper.doubts` has its rules), and
  `ids_in_turn`: on a day, a room's ids where at least `IN_TURN` reported and at most a third of
  them in one same hour. PCs stay on for a lesson; one PC that takes one id after another does not.
  Of several days the highest number counts.
- `late`: machine ids by day, and tests that count, that arrived `lines.LATE_DAYS` or more after.
- of tests: the line's refusals and doubts of the window.
- `moved_device`: a device that more rooms saw than saw it at one time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from agent.common.vocabulary.doubts import SIGNS
from collector.compliance.homes import Shared
from collector.compliance.model import Evidence, JudgedLine
from collector.compliance.window import Window

IN_TURN = 6
_SHARE = 3
#: Signs that are a line's refusals or doubts, by the same code.
_OF_TESTS = ("late", "other_network", "other_machine", "record_limited")

Doubts = Mapping[str, int]
"""The signs of one school, without zeros."""


def signs(
    school: str,
    evidence: Evidence,
    window: Window,
    lines: Iterable[JudgedLine],
    devices: Sequence[Shared],
) -> Doubts:
    """The signs of a school in its window; `evidence` may hold rows of other schools.

    `lines` are the school's, `devices` those that several rooms saw, of which one is its own.
    """
    found = _of_tests(lines)
    for row in evidence.doubt_days:
        if row.school == school and window.first <= row.day <= window.last:
            found["ids_beyond"] = max(found["ids_beyond"], row.ids_beyond)
            found["ids_alike"] = max(found["ids_alike"], row.ids_alike)
            found["ids_unnamed"] = max(found["ids_unnamed"], row.ids_unnamed)
            found["late"] += row.ids_late
    found["ids_in_turn"] = _in_turn(school, evidence, window)
    found["moved_device"] = sum(len(one.days) > one.at_once for one in devices)
    return {sign: found[sign] for sign in SIGNS if found[sign]}


def _of_tests(lines: Iterable[JudgedLine]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in lines:
        for counted in (line.refused, line.doubts):
            found.update({sign: counted.get(sign, 0) for sign in _OF_TESTS})
    return found


def _in_turn(school: str, evidence: Evidence, window: Window) -> int:
    """The most ids of a room's day that came one after another; rows without spans tell nothing."""
    return max(
        (
            row.pcs
            for row in evidence.room_days
            if row.pcs >= IN_TURN
            and 0 < row.together * _SHARE <= row.pcs
            and row.school == school
            and window.first <= row.day <= window.last
        ),
        default=0,
    )


def totals(doubts: Mapping[str, Doubts]) -> Mapping[str, tuple[int, int]]:
    """Of schools' signs by code: each sign's number over all, and how many schools show it."""
    numbers: Counter[str] = Counter()
    schools: Counter[str] = Counter()
    for found in doubts.values():
        numbers.update(found)
        schools.update(found.keys())
    return {sign: (numbers[sign], schools[sign]) for sign in SIGNS if schools[sign]}

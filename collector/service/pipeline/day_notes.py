"""Schools' days noted in the store, for a keeper on another machine to derive again."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping

from collector.service.pipeline.pending_days import ROUND_NS, Pair
from collector.store.base import Point

_NOTE_S = 60.0
_S = 10**9
Marks = Mapping[Pair, int]  # the time of the first new report, ns since 1970 UTC


class Notes:
    """Which days have a note of the last minute; none is noted more often. For several threads.

    A note is part of the write that has the reports, so what is receipted is noted. It has the
    time of the attempt that wrote it: a keeper reads the notes since it last read, and the store
    may have been down for hours since the reports were received.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By a write that succeeded: when, on `monotonic`, and the first report's time.
        self._noted: dict[Pair, tuple[float, int]] = {}

    def due(self, marks: Marks, now: float) -> dict[Pair, int]:
        """Those of `marks` that the store has no note of from the last minute."""
        with self._lock:
            return {
                pair: since - since % ROUND_NS
                for pair, since in marks.items()
                for noted, known in (self._noted.get(pair, (-math.inf, 0)),)
                if now - noted >= _NOTE_S or since < known
            }

    def stored(self, marks: Marks, at: float) -> None:
        """An attempt that began `at` has noted the days."""
        with self._lock:
            self._noted |= {pair: (at, since) for pair, since in marks.items()}
            for pair in [pair for pair, (noted, _) in self._noted.items() if at - noted >= _NOTE_S]:
                del self._noted[pair]


class Note:
    """What one batch noted at its last attempt."""

    def __init__(self, notes: Notes, marks: Marks) -> None:
        self._notes, self._marks = notes, marks
        self._last: dict[Pair, int] = {}
        self._at = 0.0

    def points(self) -> list[Point]:
        """The note of an attempt that begins now, if any is due."""
        self._at = time.monotonic()
        self._last = self._notes.due(self._marks, self._at)
        return [note_of(self._last, time.time_ns())] if self._last else []

    def stored(self) -> None:
        """The last attempt succeeded."""
        self._notes.stored(self._last, self._at)


def note_of(marks: Marks, now: int) -> Point:
    """The point that notes the days: `day seconds school,school;day seconds school`."""
    groups: dict[tuple[dt.date, int], list[str]] = defaultdict(list)
    for pair, since in marks.items():
        groups[pair.day, since // _S].append(pair.school)
    text = ";".join(
        f"{day.isoformat()} {since} {','.join(sorted(schools))}"
        for (day, since), schools in sorted(groups.items())
    )
    return Point("collector", {}, {"noted": text}, now)


def noted(text: str) -> dict[Pair, int]:
    """The days of a note.

    Raises:
        ValueError: it is none.
    """
    found: dict[Pair, int] = {}
    for group in text.split(";"):
        day, since, schools = group.split(" ")
        for school in schools.split(","):
            pair = Pair(school, dt.date.fromisoformat(day))
            found[pair] = min(int(since) * _S, found.get(pair, int(since) * _S))
    return found


def noted_days(text: str) -> dict[Pair, int]:
    """The days of a note of an older collector, which names no schools: all of them, whole."""
    return {Pair("", dt.date.fromisoformat(day)): 0 for day in text.split(",")}

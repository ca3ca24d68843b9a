"""A batch into the store, and only then its receipts."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Collection, Iterator

from collector.ingest import Held, Quarantined, Source
from collector.service.answers import Answers, Refused
from collector.service.counts import Counts
from collector.service.dirty import DirtyDays
from collector.service.receipts import Entry
from collector.service.sorter import Batch
from collector.service.writer import Writer
from collector.store.seam import Point

_NOTE_S = 60.0
_REMEMBERED = 25_000  # reports, and as many older ones; only the count of duplicates rests on it


class _Notes:
    """Days that a keeper on another machine must derive anew, noted in the store once a minute.

    In the write that has the reports, asked at each of its tries: what is receipted is noted. A
    note is of the time of its try: a keeper looks for what came since it last looked, and a
    store may have been down for hours since the reports came.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[dt.date, float] = {}  # by a write that ended well, on `monotonic`

    def due(self, days: set[dt.date], now: float) -> set[dt.date]:
        """Those of `days` that the store has no fresh note of."""
        with self._lock:
            return {day for day in days if now - self._noted.get(day, -math.inf) >= _NOTE_S}

    def stored(self, days: set[dt.date], at: float) -> None:
        """A try that began `at` has noted the days."""
        with self._lock:
            self._noted |= dict.fromkeys(days, at)
            for day in [day for day, noted in self._noted.items() if at - noted >= _NOTE_S]:
                del self._noted[day]


class _Note:
    """What one batch notes at its last try."""

    def __init__(self, notes: _Notes, days: set[dt.date]) -> None:
        self._notes, self._days = notes, days
        self._last: set[dt.date] = set()
        self._at = 0.0

    def points(self) -> list[Point]:
        """The note of a try that begins now, if any is due."""
        self._at = time.monotonic()
        self._last = self._notes.due(self._days, self._at)
        said = ",".join(day.isoformat() for day in sorted(self._last))
        return [Point("collector", {}, {"days": said}, time.time_ns())] if said else []

    def stored(self) -> None:
        """The last try ended well."""
        self._notes.stored(self._last, self._at)


class Storer:
    """Safe to use from several threads: a store takes batches in any order."""

    def __init__(self, writer: Writer, answers: Answers, dirty: DirtyDays, counts: Counts) -> None:
        self._writer, self._answers = writer, answers
        self._dirty, self._counts = dirty, counts
        self._notes = _Notes()
        self._lock = threading.Lock()
        self._recent: set[int] = set()
        self._older: set[int] = set()

    def store(self, batch: Batch) -> None:
        """Store it, however long that takes, mark its days, send its receipts."""
        reports = [item.stored for item in batch.items]
        days = {report.day for report in reports if report.day is not None}
        note = _Note(self._notes, days)
        groups = [*(report.points for report in reports), batch.noted]
        result = self._writer.write(groups, note.points)
        if result is None:
            return  # stopping, and the store is down: no receipt, the agents keep them
        note.stored()
        held: list[Held] = []
        entries = self._answers.set_aside(list(_refused(batch, result)), held)
        if days:
            self._dirty.mark(days)
        good = [report for at, report in enumerate(reports) if at not in result]
        self._remember([report.source for report in good])
        entries += [Entry(report.source, report.echo) for report in good]
        self._answers.send(entries, held)

    def _remember(self, sources: Collection[Source]) -> None:
        keys = {hash(source) for source in sources}  # a fifth of the memory of what they stand for
        with self._lock:
            new = keys - self._recent - self._older
            self._recent |= new
            if len(self._recent) > _REMEMBERED:
                self._recent, self._older = set(), self._recent
        self._counts.add("stored", len(new))
        self._counts.add("duplicates", len(sources) - len(new))


def _refused(batch: Batch, reasons: dict[int, str]) -> Iterator[Refused]:
    for at, reason in reasons.items():
        if at < len(batch.items):
            item = batch.items[at]
            yield item.message, Quarantined(item.stored.source, reason)

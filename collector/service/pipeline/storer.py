"""Writes a batch to the store, and only then sends its receipts."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator

from collector.ingest import Held, Quarantined, Source, Stored
from collector.service.pipeline.answers import Answers, Refused
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.day_notes import Note, Notes
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.service.pipeline.receipts import Entry
from collector.service.pipeline.sorter import Batch
from collector.service.pipeline.writer import Writer

_REMEMBERED = 25_000  # reports, and as many older ones; only the count of duplicates needs them


class Storer:
    """Safe to use from several threads: a store takes batches in any order."""

    def __init__(
        self, writer: Writer, answers: Answers, pending_days: PendingDays, counts: Counts
    ) -> None:
        self._writer, self._answers = writer, answers
        self._pending_days, self._counts = pending_days, counts
        self._notes = Notes()
        self._lock = threading.Lock()
        self._recent: set[int] = set()
        self._older: set[int] = set()

    def store(self, batch: Batch) -> None:
        """Write it, however long that takes, mark its days, send its receipts."""
        reports = [item.stored for item in batch.items]
        marks = marks_of(reports)
        note = Note(self._notes, marks)
        groups = [*(report.points for report in reports), batch.noted]
        result = self._writer.write(groups, note.points)
        if result is None:
            return  # stopping, and the store is down: no receipt, the agents keep them
        note.stored()
        held: list[Held] = []
        entries = self._answers.quarantine(list(_refused(batch, result)), held)
        if marks:
            self._pending_days.mark(marks)
        good = [report for at, report in enumerate(reports) if at not in result]
        self._remember([report.source for report in good])
        entries += [Entry(report.source, report.echo) for report in good]
        self._answers.send(entries, held)

    def _remember(self, sources: Collection[Source]) -> None:
        keys = {hash(source) for source in sources}  # a fifth of the sources' memory
        with self._lock:
            new = keys - self._recent - self._older
            self._recent |= new
            if len(self._recent) > _REMEMBERED:
                self._recent, self._older = set(), self._recent
        self._counts.add("stored", len(new))
        self._counts.add("duplicates", len(sources) - len(new))


def marks_of(reports: Iterable[Stored]) -> dict[Pair, int]:
    """The schools' days of reports, each with the time of the first one, ns since 1970 UTC."""
    found: dict[Pair, int] = {}
    for report in reports:
        if report.day is not None and report.points:
            pair, time = Pair(report.source.school, report.day), report.points[0].time
            found[pair] = min(time, found.get(pair, time))
    return found


def _refused(batch: Batch, reasons: dict[int, str]) -> Iterator[Refused]:
    for at, reason in reasons.items():
        if at < len(batch.items):
            item = batch.items[at]
            yield item.message, Quarantined(item.stored.source, reason)

"""The outbox: stores every report on the disk until the collector's receipt for it arrives.

A report is stored unsealed, with the monotonic time, before it is sent. The first sending seals
it: the corrected time and the offset are written into the bytes, and every resend is
byte-identical. On its receipt telemetry is deleted; evidence is kept for seven more days, in
case the collector loses its store. Number 1 of each boot is the hello, which is not stored.

OutboxError
├── TooLargeError   the report is larger than the wire allows
└── FullError       the disk is full; the report is dropped and counted
"""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from agent.clock import Clock
from agent.common.sqlite import transaction
from agent.outbox import file, seal
from agent.outbox import receipt as receipt_rules
from agent.outbox.checksum import COLUMNS as CHECKED
from agent.outbox.checksum import Checked, crc
from agent.outbox.durable import DurableFile
from agent.outbox.file import RECEIPTED, WAITING, Counts
from agent.outbox.limits import Limits
from agent.outbox.window import BASE, Outgoing, Window
from agent.wire.codec import MAX_PAYLOAD
from agent.wire.ids import new_boot
from agent.wire.messages import Reading, Receipt

__all__ = [
    "WINDOW",
    "Counts",
    "FullError",
    "Limits",
    "Outbox",
    "OutboxError",
    "Outgoing",
    "TooLargeError",
]

#: Reports sent and waiting for a receipt at the same time.
WINDOW = 16
#: Space for the JSON around the readings, bytes.
_ENVELOPE = 1024
#: Upper limit of the `retry_s` in a receipt, s.
_MAX_RETRY_S = 86_400


class OutboxError(Exception):
    """The outbox could not store a report."""


class TooLargeError(OutboxError):
    """The report is larger than the wire allows."""


class FullError(OutboxError):
    """The disk has no space for the report."""


class Outbox(DurableFile):
    """The outbox of one machine. Safe to use from several threads of one process."""

    def __init__(
        self,
        path: Path,
        machine: str,
        clock: Clock,
        *,
        simulated: bool = False,
        limits: Limits | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Open the file, claim it for `machine`, and draw a boot.

        `draw` gives numbers in [0, 1) for the backoff.

        Raises:
            OSError, sqlite3.Error: the file cannot be made or written.
        """
        self.boot = new_boot()
        self.on_put: Callable[[], None] | None = None  # called after each put, without the lock
        self._draw = draw
        self._number = 1
        self._sealer = seal.Sealer(clock, self.boot, simulated)
        self._unsaved = {"dropped_telemetry": 0, "dropped_evidence": 0}
        window = Window(WINDOW, clock, draw)
        super().__init__(path, machine, clock, limits or Limits(), window)

    # Storing

    def put(self, readings: Sequence[Reading], *, evidence: bool = False) -> int:
        """Store one report; on return it survives a power cut. Returns its number.

        Raises:
            TooLargeError: split the readings into several reports.
            FullError: the disk is full; the report is dropped and counted.
        """
        blob = msgspec.json.encode(tuple(readings))
        if len(blob) > MAX_PAYLOAD - _ENVELOPE:
            raise TooLargeError(f"{len(blob)} bytes, the limit is {MAX_PAYLOAD - _ENVELOPE}")
        with self._lock:
            try:
                self._with_recovery(lambda: self._store(blob, evidence))
            except sqlite3.DatabaseError as error:
                self._unsaved["dropped_evidence" if evidence else "dropped_telemetry"] += 1
                raise FullError(str(error)) from error
            self._number += 1
            number = self._number
            with contextlib.suppress(sqlite3.DatabaseError):  # stored; a later put enforces them
                self._with_recovery(self._enforce_limits)
        if self.on_put is not None:
            self.on_put()
        return number

    def _store(self, blob: bytes, evidence: bool) -> None:
        elapsed, wall = self._clock.elapsed(), self._clock.wall()
        guess = self._clock.at(elapsed)
        row = Checked(self.boot, self._number + 1, int(evidence), elapsed, wall, guess)
        with transaction(self._db):
            self._db.execute(
                f"INSERT INTO report ({CHECKED}, readings, size, crc, lived)"  # noqa: S608
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*structs.astuple(row), blob, len(blob), crc(row, blob), self._age.now()),
            )
            self._age.save(self._db)
            for counter, count in self._unsaved.items():
                file.increment(self._db, counter, count)
        self._unsaved = dict.fromkeys(self._unsaved, 0)

    # Sending

    def due(self) -> list[Outgoing]:
        """The sealed reports to publish now, counted as sent; none before the time is known."""
        with self._lock:
            if not self._clock.known:
                return []
            now = self._clock.elapsed()
            outgoing = [self._resend(id_) for id_ in self._window.due(now)]
            self._release_held(now)
            outgoing += self._first_sendings()
            return [one for one in outgoing if one is not None]

    def _resend(self, id_: int) -> Outgoing | None:
        found = self._db.execute(f"SELECT {seal.COLUMNS} FROM report WHERE id = ?", (id_,))  # noqa: S608
        for row in itertools.starmap(seal.Row, found):
            if row.sealed is not None and row.intact:
                sending = self._window.resend(id_)
                return Outgoing(sending.boot, sending.number, row.sealed)
        self._window.drop((id_,))  # checksum mismatch: re-read by `_seal`, which sets it aside
        return None

    def _first_sendings(self) -> list[Outgoing | None]:
        """Seal the oldest waiting rows, as many as the window has room for."""
        rows = self._next_rows(self._window.free)
        if not rows:
            return []
        sealed = self._with_recovery(lambda: self._seal(rows))
        return [self._begin(row, payload, sent) for row, (payload, sent) in sealed]

    def _seal(self, rows: list[seal.Row]) -> list[tuple[seal.Row, seal.Sealed]]:
        with transaction(self._db):
            return [(row, self._sealer.seal(self._db, row)) for row in rows]

    def _next_rows(self, limit: int) -> list[seal.Row]:
        if limit <= 0:
            return []
        marks = ", ".join("?" * len(self._window))
        rows = self._db.execute(
            f"SELECT {seal.COLUMNS} FROM report WHERE state = ? AND id NOT IN ({marks})"  # noqa: S608
            " ORDER BY id LIMIT ?",
            (WAITING, *self._window.ids, limit),
        )
        return [seal.Row(*row) for row in rows]

    def _begin(self, row: seal.Row, payload: bytes | None, sent: int | None) -> Outgoing | None:
        if payload is None:
            return None
        self._window.add(row.id, row.boot, row.number, sent)
        return Outgoing(row.boot, row.number, payload)

    def next_due(self) -> float | None:
        """Seconds until `due` may return a report; None: not before the next put or receipt."""
        with self._lock:
            if not self._clock.known:
                return None
            now = self._clock.elapsed()
            if self._next_rows(min(self._window.free, 1)):
                return 0.0
            first = [self._window.next_due(), receipt_rules.first_retry(self._db)]
            known = [due for due in first if due is not None]
            return max(0.0, (min(known) - now) / 1000) if known else None

    def refused(self, boot: str, number: int) -> None:
        """The broker refused the report; it is resent after its backoff."""
        with self._lock:
            self._window.refused(boot, number)

    def hold(self, boot: str, number: int, reason: str, retry_s: int) -> None:
        """Hold a report that the broker does not take, for so long; others are sent meanwhile."""
        with self._lock:
            self._with_recovery(lambda: self._hold(boot, number, reason, retry_s))

    def _hold(self, boot: str, number: int, reason: str, retry_s: int) -> None:
        with transaction(self._db):
            retry = self._clock.elapsed() + retry_s * 1000
            receipt_rules.mark_held(self._db, boot, number, reason, retry)
            self._window.answered(boot, number, number)

    def reconnected(self) -> None:
        """Resend what is under way, few at first: receipts may be lost with the old connection."""
        with self._lock:
            self._window.resend_all(self._clock.elapsed())

    # Receipts

    def receipt(self, receipt: Receipt) -> None:
        """Remove stored reports, hold held ones, and requeue what is asked for again."""
        with self._lock:
            self._with_recovery(lambda: self._apply(receipt))

    def _apply(self, receipt: Receipt) -> None:
        with transaction(self._db):
            if receipt.again_since is not None:
                receipt_rules.requeue(self._db, receipt.again_since)
            for stored in receipt.stored:
                receipt_rules.mark_stored(self._db, stored, self._age.now())
                self._window.answered(stored.boot, stored.first, stored.last)
            for held in receipt.held:
                retry = self._clock.elapsed() + min(held.retry_s, _MAX_RETRY_S) * 1000
                receipt_rules.mark_held(self._db, held.boot, held.number, held.reason, retry)
                self._window.answered(held.boot, held.number, held.number)
            receipt_rules.delete_old_backups(self._db, self._age.now())
            self._age.save(self._db)

    def policy_arrived(self) -> None:
        """Send held reports at once: the school is known now, or the collector is back.

        Reports under way are resent soon, as a collector publishes its policies when it starts.
        """
        with self._lock:
            self._release_held()
            self._window.resend_all(self._clock.elapsed() + int(self._draw() * BASE * 1000))

    # Inspecting

    def counts(self) -> Counts:
        """How many reports wait, and how many were dropped or lost."""
        with self._lock:
            counts = file.counts(self._db)
            return counts._replace(
                under_way=len(self._window),
                dropped_telemetry=counts.dropped_telemetry + self._unsaved["dropped_telemetry"],
                dropped_evidence=counts.dropped_evidence + self._unsaved["dropped_evidence"],
            )

    def waiting(self) -> list[tuple[str, int]]:
        """(boot, number) of every report without a receipt, oldest first."""
        with self._lock:
            return self._db.execute(
                "SELECT boot, number FROM report WHERE state != ? ORDER BY id", (RECEIPTED,)
            ).fetchall()

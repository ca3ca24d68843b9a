"""Sealing: the bytes that a report keeps from its first sending on."""

from __future__ import annotations

import sqlite3

import msgspec
from msgspec import structs

from agent.clock import Clock
from agent.outbox import checksum as check
from agent.wire.codec import encode
from agent.wire.messages import VERSION, Reading, Report

#: The range of `agent.wire.messages.Millis`.
_LATEST = 4_102_444_800_000

_readings = msgspec.json.Decoder(tuple[Reading, ...])


class Row(check.Summed, frozen=True):
    """A report as the outbox keeps it; `COLUMNS` are its fields."""

    id: int
    readings: bytes | None
    sealed: bytes | None
    state: int
    crc: int | None = None

    @property
    def intact(self) -> bool:
        """Whether the disk gave back what it was given."""
        kept = self.readings if self.sealed is None else self.sealed
        # What an older agent put has no sum: there only the sealing can tell.
        return self.crc is None or (isinstance(kept, bytes) and self.crc == check.crc(self, kept))


COLUMNS = ", ".join(Row.__struct_fields__)
#: The final bytes, and the mark where an echo would tell the time.
Sealed = tuple[bytes | None, int | None]


class Sealer:
    """Seals one boot's outbox; its rows of earlier boots too, as uncertain."""

    def __init__(self, clock: Clock, boot: str, simulated: bool) -> None:
        self._clock = clock
        self._boot = boot
        self._simulated = simulated
        self._last_times: dict[str, int] = {}  # boot -> last sealed ms

    def sealed(self, db: sqlite3.Connection, row: Row) -> Sealed:
        """The row's final bytes, and its mark where an echo of it would tell the time.

        Seals what is not sealed yet, inside a change of the caller's. A row that the disk gave
        back as something else than was put is set aside, counted as lost, and has no bytes.
        """
        if row.intact and row.sealed is not None:
            return row.sealed, None
        readings = _decoded(row)
        if readings is None:
            check.set_aside(db, row.id)
            return None, None
        report = self._report(row, readings, self._last_time(db, row.boot))
        self._last_times[row.boot] = report.time
        return _save(db, row, report), report.sent if row.boot == self._boot else None

    def _last_time(self, db: sqlite3.Connection, boot: str) -> int | None:
        if boot not in self._last_times and boot != self._boot:
            last = db.execute("SELECT max(time) FROM report WHERE boot = ?", (boot,)).fetchone()
            if last[0] is not None:
                self._last_times[boot] = last[0]
        return self._last_times.get(boot)

    def _report(self, row: Row, readings: tuple[Reading, ...], later_than: int | None) -> Report:
        """Of this boot, the time is known by the monotonic clock. Of an earlier one it is what
        the PC believed then, and uncertain. Times grow strictly within a boot.
        """
        own = row.boot == self._boot
        known = self._clock.at(row.elapsed) if own else None
        believed = row.wall if row.guess is None else row.guess
        time = believed if known is None else known
        if later_than is not None:
            time = max(time, later_than + 1)
        return Report(
            v=VERSION,
            time=min(max(time, 0), _LATEST),
            readings=readings,
            offset_ms=(self._clock.offset() or 0) if own else believed - row.wall,
            sent=self._clock.mark() if own else self._clock.wall(),
            uncertain=known is None,
            simulated=self._simulated,
        )


def _decoded(row: Row) -> tuple[Reading, ...] | None:
    if not row.intact:
        return None
    try:
        return _readings.decode(row.readings or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _save(db: sqlite3.Connection, row: Row, report: Report) -> bytes:
    """Write the final bytes into the row; what is uncertain is no evidence any more."""
    payload = encode(report)
    row = structs.replace(row, evidence=int(row.evidence and not report.uncertain))
    db.execute(
        "UPDATE report SET sealed = ?, readings = NULL, time = ?, sent = ?, size = ?,"
        " evidence = ?, crc = ? WHERE id = ?",
        (
            payload,
            report.time,
            report.sent,
            len(payload),
            row.evidence,
            check.crc(row, payload),
            row.id,
        ),
    )
    return payload

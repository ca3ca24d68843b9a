"""Sealing: fixes the bytes of a report at its first sending, so that every resend is the same."""

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


class Row(check.Checked, frozen=True):
    """A stored report; the fields are `COLUMNS`."""

    id: int
    readings: bytes | None
    sealed: bytes | None
    state: int
    crc: int | None = None

    @property
    def intact(self) -> bool:
        """Whether the row matches its checksum."""
        payload = self.readings if self.sealed is None else self.sealed
        if self.crc is None:  # put by an older agent: only decoding can show damage
            return True
        return isinstance(payload, bytes) and self.crc == check.crc(self, payload)


COLUMNS = ", ".join(Row.__struct_fields__)
#: The bytes to send, and the clock mark if an echo of them may set the clock.
Sealed = tuple[bytes | None, int | None]


class Sealer:
    """Seals the rows of this boot, and those of earlier boots as uncertain."""

    def __init__(self, clock: Clock, boot: str, simulated: bool) -> None:
        self._clock = clock
        self._boot = boot
        self._simulated = simulated
        self._last_times: dict[str, int] = {}  # boot -> last sealed ms

    def seal(self, db: sqlite3.Connection, row: Row) -> Sealed:
        """The row's bytes, and its clock mark if an echo of them may set the clock.

        Seals a row that is not sealed yet, in the caller's transaction. A row that the disk has
        damaged is set aside and counted as lost; its bytes are None.
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
        """The report to send; times increase strictly within a boot.

        In this boot the time comes from the monotonic clock. For a row of an earlier boot it is
        what the PC believed at that time, so it is marked uncertain.
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
    """Store the sealed bytes in the row; an uncertain report is no longer evidence."""
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

"""The production store: InfluxDB, written as line protocol, read by InfluxQL over /query.

Writes are synchronous and never retried here: the caller, who still has the reports, decides
whether and when to try again. `url` must answer /query, and /api/v2/write or /write.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import msgspec
import urllib3

from collector import config
from collector.schema import MEASUREMENTS, Measurement
from collector.store import base, deleting, faults, influxql, token
from collector.store.base import Limits, Point, Row, Store
from collector.store.check import fault, refuse
from collector.store.clocks import ahead_of
from collector.store.influx_write import Writing, authorization
from collector.store.line_protocol import line, plain_lines
from collector.store.tables import CAN_BE_SIMULATED

_CONNECT_S, _REPLY_S = 5, 30
_LINES = 5000  # per request: 1 to 2 MB before compression
_CHUNK = 5000  # rows of a reply held at once
_READERS = 4  # connections kept for threads that read at the same time
_DAY_NS = 86_400 * 10**9
_EVIDENCE = frozenset(name for name, known in MEASUREMENTS.items() if known.retention == "evidence")
_Row = tuple[Point, bytes]
_Bad = list[tuple[Point, str]]


class InfluxStore(Store):
    """A `Store` in two buckets (databases on 1.x), one for each retention class.

    Creating it sends no request to the server.
    """

    limits = Limits()
    #: A server's error about a measurement of which it has no row; "": it answers without rows.
    _no_rows = ""

    def __init__(self, settings: config.Store, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._now = now
        self._clock_ahead: float | None = None
        limits = (_CONNECT_S * 1000, _REPLY_S * 1000)
        self._writing = Writing(settings, limits)
        self._reads = urllib3.PoolManager(
            maxsize=_READERS,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=_REPLY_S),
        )

    def write(self, points: Sequence[Point]) -> None:
        """See `Store.write`. Telemetry older than its retention is accepted and dropped."""
        bad: _Bad = []
        oldest = int(self._now() * 10**9) - self._settings.telemetry_days * _DAY_NS
        marks: dict[str, list[_Row]] = {}
        buckets: dict[str, list[_Row]] = {}
        for point, text in _lines(points, bad):
            if point.time >= oldest or point.measurement in _EVIDENCE:
                bucket = self._bucket(point.measurement)
                buckets.setdefault(bucket, []).append((point, text))
                if "uncertain" in point.fields:
                    marks.setdefault(bucket, []).append((point, line(_uncertain_mark(point))))
        for bucket, rows in (*marks.items(), *buckets.items()):
            for at in range(0, len(rows), _LINES):
                bad += self._send(bucket, rows[at : at + _LINES])
        refuse(bad)

    def _bucket(self, measurement: str) -> str:
        return self._settings.evidence if measurement in _EVIDENCE else self._settings.telemetry

    def _send(self, bucket: str, rows: list[_Row]) -> _Bad:
        """Store the rows; returns those that never can be, with reasons, found by bisecting."""
        body = b"\n".join(row[1] for row in rows)
        try:
            self._writing.post(bucket, body)
        except (faults.ExpiredError, faults.LinesRefusedError, faults.TooLargeError) as error:
            # Evidence never expires, so if it is refused as expired its bucket is set up wrong.
            if isinstance(error, faults.ExpiredError) and not _any_evidence(rows):
                return []
            if len(rows) == 1:
                faults.of_one_line(error, len(body))
                return [(rows[0][0], str(error))]
            half = len(rows) // 2
            return self._send(bucket, rows[:half]) + self._send(bucket, rows[half:])
        return []

    def read(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Point]:
        """See `Store.read`."""
        known = influxql.known(measurement)
        names = list(known.fields) if fields is None else list(fields)
        values = influxql.values_of(tags)
        replies = self._series(known, start, stop, values, names)
        return (
            point for series in replies for point in influxql.points(known, series, values, names)
        )

    def rows(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None,
        fields: Sequence[str],
    ) -> Iterator[Row]:
        """See `Store.rows`."""
        known, names, values = influxql.known(measurement), list(fields), influxql.values_of(tags)
        replies = self._series(known, start, stop, values, names)
        return (row for series in replies for row in influxql.rows(known, series, values, names))

    def _series(
        self,
        known: Measurement,
        start: int,
        stop: int,
        values: Mapping[str, frozenset[str]],
        names: Sequence[str],
    ) -> Iterator[Mapping[str, Any]]:
        asked = influxql.select(known, names, start, stop, values)
        if not names or start >= stop or not all(values.values()):
            return iter(())
        return self._replies(self._bucket(known.name), asked, 1)

    def simulated(self) -> bool:
        """See `Store.simulated`."""
        buckets: dict[str, list[str]] = {}
        for name in CAN_BE_SIMULATED:
            buckets.setdefault(self._bucket(name), []).append(name)
        return any(self._any_simulated(*asked) for asked in buckets.items())

    def simulated_rows(self) -> list[base.SimulatedRows]:
        """See `Store.simulated_rows`."""
        found: list[base.SimulatedRows] = []
        for name in CAN_BE_SIMULATED:
            asked = influxql.count_simulated(name)
            with closing(self._replies(self._bucket(name), asked, 3)) as replies:
                found += influxql.simulated_rows(name, replies)
        return found

    def delete(self, measurement: str, start: int, stop: int, tags: Mapping[str, str]) -> None:
        """See `Store.delete`."""
        known = influxql.known(measurement)
        deleting.delete(self, self._settings, self._bucket(known.name), known, start, stop, tags)

    def _any_simulated(self, bucket: str, names: Sequence[str]) -> bool:
        asked = influxql.any_simulated(names)
        with closing(self._replies(bucket, asked, len(names))) as replies:
            return any(series["values"] for series in replies)

    def _replies(
        self, bucket: str, asked: str, statements: int
    ) -> Generator[Mapping[str, Any], None, None]:
        """The series of the reply, as they arrive; fails if the reply was cut off."""
        where = f"{self._settings.url}/query [{bucket}]"
        try:
            with closing(self._ask(bucket, asked, where)) as reply:
                self._clock_ahead = ahead_of(reply.headers.get("Date"), self._now())
                if reply.status != 200:
                    raise faults.unanswered(reply.status, faults.text(reply.read()), where)
                results = _results(reply, where, self._no_rows)
                yield from influxql.whole(results, statements)
        except (urllib3.exceptions.HTTPError, OSError, ValueError, msgspec.DecodeError) as error:
            raise faults.unreached(error, where) from error

    def _ask(self, bucket: str, asked: str, where: str) -> urllib3.BaseHTTPResponse:
        try:
            return self._reads.request(
                "GET",
                f"{self._settings.url.rstrip('/')}/query",
                fields={
                    "db": bucket,
                    "q": asked,
                    "epoch": "ns",
                    "chunked": "true",
                    "chunk_size": str(_CHUNK),
                },
                headers=authorization(token.of(self._settings)),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError:  # some of these are ValueErrors too
            raise
        except ValueError as error:
            raise faults.bad_settings(error, where) from error

    @property
    def clock_ahead(self) -> float | None:
        """See `Store.clock_ahead`."""
        return self._clock_ahead

    def close(self) -> None:
        """See `Store.close`."""
        self._writing.close()
        self._reads.clear()


def _lines(points: Iterable[Point], bad: _Bad) -> Iterator[_Row]:
    """Each storable point with its line; the others are added to `bad`."""
    for point, text in plain_lines(points):
        if text is not None:
            yield point, text
        elif reason := fault(point):
            bad.append((point, reason))
        else:
            yield point, line(point)


def _any_evidence(rows: Iterable[_Row]) -> bool:
    return any(point.measurement in _EVIDENCE for point, _ in rows)


def _uncertain_mark(point: Point) -> Point:
    """The point's field `uncertain` alone, which is written before the whole point.

    While InfluxDB stores a point, a read may see only some of its fields. Fields that come later
    do no harm, as days are derived again; but a day's flags are never cleared, and an uncertain
    reading without its mark would set them.
    """
    return point._replace(fields={"uncertain": point.fields["uncertain"]})


def _split(reply: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of a chunked reply: one JSON text each."""
    parts: list[bytes] = []  # of a line: they are small, and a line may have thousands
    for block in reply.stream(1 << 16, decode_content=True):
        first, *more = block.split(b"\n")
        parts.append(first)
        for piece in more:
            if whole := b"".join(parts):
                yield whole
            parts = [piece]
    if rest := b"".join(parts):
        yield rest


class _Reply(msgspec.Struct):
    """One JSON text of a reply."""

    results: list[dict[str, Any]] = []
    error: str = ""


_reply = msgspec.json.Decoder(_Reply)


def _results(
    reply: urllib3.BaseHTTPResponse, where: str, no_rows: str
) -> Iterator[Mapping[str, Any]]:
    for text in _split(reply):
        decoded = _reply.decode(text)
        for result in decoded.results:
            reason = result.get("error")
            if reason and reason != no_rows:
                raise faults.failed(reason, where)
            yield result
        if decoded.error:
            raise faults.failed(decoded.error, where)

"""openGemini as a store: InfluxDB's way of writing and reading, without some of what that can do.

Seen of version 1.5.2: a point of a new series or shard is read some 2 s after its write, as the
index is flushed each second. It has no DELETE. It reads ints as floats, so that larger ones lose
digits, takes no time before 1970, and no line break within a text.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from agent.common.language import say
from collector import config
from collector.store.base import (
    Limits,
    MisconfiguredError,
    Point,
    RejectedError,
    Row,
    StoreError,
    UnavailableError,
    Value,
)
from collector.store.check import refuse
from collector.store.influx import InfluxStore
from collector.store.witness import Witness

#: Stands in a stored text before "n", which is a line break, or "e", which is itself.
_MARK = "\x1b"
_WRITTEN = str.maketrans({"\n": f"{_MARK}n", _MARK: f"{_MARK}e"})
_Bad = list[tuple[Point, str]]


class OpenGeminiStore(InfluxStore):
    """A `Store` in two databases of openGemini."""

    limits = Limits(readable_s=10.0, deletes=False, first_time=0, largest=2**53)
    _no_rows = "measurement not found"

    def __init__(self, settings: config.Store, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now)
        self._witness = Witness(
            self._writing.post,
            lambda bucket, asked: super(OpenGeminiStore, self)._replies(bucket, asked, 1),
            self.limits.readable_s,
            cluster=bool(settings.urls),
        )

    def _replies(
        self, bucket: str, asked: str, statements: int
    ) -> Generator[Mapping[str, Any], None, None]:
        """As of InfluxDB, and fails if the answer may lack rows.

        When its first rows come, or none, it has been settled which stores one statement's answer
        is made of. Until then it can be asked once more.
        """
        try:
            yield from self._begun(bucket, asked, statements)
        except StoreError:
            self._witness.failed(bucket)
            raise

    def _begun(
        self, bucket: str, asked: str, statements: int
    ) -> Generator[Mapping[str, Any], None, None]:
        for again in (True, False):
            self._witness.before(bucket)
            with closing(super()._replies(bucket, asked, statements)) as replies:
                first = list(itertools.islice(replies, 1))
                try:
                    self._witness.after(bucket)
                except UnavailableError:
                    if again:  # another reader may have written its number just now
                        continue
                    raise
                yield from first
                yield from replies
            break
        if statements > 1:
            self._witness.after(bucket)

    def close(self) -> None:
        """See `Store.close`."""
        self._witness.close()
        super().close()

    def write(self, points: Sequence[Point]) -> None:
        """See `Store.write`."""
        bad: _Bad = []
        given: dict[int, Point] = {}  # by the id of what is written in their place
        written: list[Point] = []
        for point in points:
            if reason := self._fault(point):
                bad.append((point, reason))
                continue
            one = _written(point)
            written.append(one)
            given[id(one)] = point
        try:
            super().write(written)
        except RejectedError as error:
            bad += [(given[id(one)], error.reason) for one in error.points]
        refuse(bad)

    def _fault(self, point: Point) -> str:
        """Why this server cannot hold a point that others can; other faults are found later."""
        if type(point.time) is int and point.time < self.limits.first_time:
            return f"{point.measurement}: openGemini takes no time before 1970"
        for name, value in point.fields.items():
            if type(value) is int and abs(value) > self.limits.largest:
                return f"{point.measurement}: openGemini would change {name} {value}"
        return ""

    def read(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Point]:
        """See `Store.read`."""
        return map(_read, super().read(measurement, start, stop, tags, fields))

    def rows(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None,
        fields: Sequence[str],
    ) -> Iterator[Row]:
        """See `Store.rows`."""
        found = super().rows(measurement, start, stop, tags, fields)
        return ([_text(cell) for cell in row] if _odd(row) else row for row in found)

    def delete(self, measurement: str, start: int, stop: int, tags: Mapping[str, str]) -> None:
        """See `Store.delete`: this server cannot."""
        raise MisconfiguredError(
            say(
                f"{self._settings.url}：openGemini 不能删除行",
                f"{self._settings.url}: openGemini cannot delete rows",
            )
        )


def _written(point: Point) -> Point:
    if not any(type(value) is str and _breaks(value) for value in point.fields.values()):
        return point
    fields: dict[str, Value] = {
        name: value.translate(_WRITTEN) if isinstance(value, str) else value
        for name, value in point.fields.items()
    }
    return point._replace(fields=fields)


def _breaks(text: str) -> bool:
    return "\n" in text or _MARK in text


def _odd(cells: Iterable[Any]) -> bool:
    return any(type(cell) is str and _MARK in cell for cell in cells)


def _read(point: Point) -> Point:
    if not _odd(point.fields.values()):
        return point
    return point._replace(fields={name: _text(value) for name, value in point.fields.items()})


def _text(value: Any) -> Any:
    if type(value) is not str:
        return value
    return value.replace(f"{_MARK}n", "\n").replace(f"{_MARK}e", _MARK)

"""The seam: what every store does, and how it fails.

Errors are classed by what the caller does next::

    StoreError
    ├── UnavailableError     network, overload, disk full: keep, back off, try again
    ├── MisconfiguredError   wrong token, no such bucket, wrong path: say so, try again slowly
    └── RejectedError        these points can never be stored: quarantine them, keep the rest
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

Value = bool | int | float | str


class Point(NamedTuple):
    """One point. `time` is ns since 1970 UTC; names are those of `collector.schema`.

    Writing a point whose measurement, tags and time are stored already merges its fields:
    the later value wins, fields it does not name stay. So a resend changes nothing.
    """

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Value]
    time: int


class StoreError(Exception):
    """A store could not do what it was asked."""


class UnavailableError(StoreError):
    """For now. Keep the points and try again."""


class MisconfiguredError(StoreError):
    """Until somebody mends the configuration; the message says what."""


class RejectedError(StoreError):
    """The store will never take `points`; all others of the batch are stored."""

    def __init__(self, points: Sequence[Point], reason: str) -> None:
        super().__init__(reason)
        self.points = points
        self.reason = reason


class Store(Protocol):
    """A store of points in two retention classes. Safe to use from several threads."""

    def write(self, points: Sequence[Point]) -> None:
        """Store all points; on return they survive a crash of the store.

        Raises:
            UnavailableError, MisconfiguredError: none, or some, are stored: write all again.
            RejectedError: all but the named points are stored.
        """

    def read(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Point]:
        """Points with start <= time < stop, oldest first.

        `tags` keeps the points whose tag has the value, or one of the values; `fields` names
        the fields wanted (all by default); a point that has none of them is left out, and so is
        one that lacks a required field of its measurement: it is not whole yet. A tag
        or field that a point lacks is absent from its mappings. An empty tag is absent; asked
        for the value "", it keeps the points that lack it.

        Raises:
            UnavailableError, MisconfiguredError: at once or while iterating.
            KeyError: the schema has no such measurement, tag or field.
        """

    def simulated(self) -> bool:
        """Whether any row was invented, or derived from what was.

        Raises:
            UnavailableError, MisconfiguredError.
        """

    @property
    def clock_ahead(self) -> float | None:
        """How far this machine's clock was ahead of the store's server at its last answer to a
        read, s; None where there is no other clock, or none was heard yet.
        """

    def close(self) -> None:
        """Let go of files and connections."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

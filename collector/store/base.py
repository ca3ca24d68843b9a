"""The interface of every store, and its errors.

Errors are classed by what the caller does next::

    StoreError
    ├── UnavailableError     network, overload, disk full: keep, back off, try again
    ├── MisconfiguredError   wrong token, no such bucket, wrong path: report it, try again slowly
    └── RejectedError        these points can never be stored: quarantine them, the rest is stored
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

Value = bool | int | float | str
Row = Sequence[Any]


class Point(NamedTuple):
    """One point. `time` is ns since 1970 UTC; names are those of `collector.schema`.

    Writing a point whose measurement, tags and time are stored already merges its fields:
    the later value wins, other stored fields stay. So a resend changes nothing.
    """

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Value]
    time: int


class SimulatedRows(NamedTuple):
    """The simulated rows of a measurement at one school; of indicators, in one area.

    `first` and `last` are the times of the earliest and the latest, ns since 1970 UTC.
    """

    measurement: str
    school: str
    rows: int
    first: int
    last: int


class Limits(NamedTuple):
    """What a store's server cannot do, which its callers must allow for.

    A point with an earlier time or an int of a larger amount is refused by `write`, by name.
    """

    #: So long after `write` has returned, reads may still lack its points, s. 0: never.
    readable_s: float = 0.0
    deletes: bool = True
    first_time: int = -(2**63)
    largest: int = 2**63


class StoreError(Exception):
    """A call to a store failed. `status`: of the server's HTTP answer, 0 where none came."""

    status = 0


class UnavailableError(StoreError):
    """The store cannot be used at the moment: keep the points and try again.

    `sent`: whether the server may have the request, and do it later.
    """

    sent = True


class MisconfiguredError(StoreError):
    """The store cannot be used until its configuration is fixed; the message says how."""


class RejectedError(StoreError):
    """The store will never take `points`; all others of the batch are stored."""

    def __init__(self, points: Sequence[Point], reason: str) -> None:
        super().__init__(reason)
        self.points = points
        self.reason = reason


class Store(Protocol):
    """A store of points in two retention classes. Safe to use from several threads."""

    #: What this store cannot do; known without asking its server.
    limits: Limits

    def write(self, points: Sequence[Point]) -> None:
        """Store all points; on return they survive a crash of the store.

        Reads find them at once, or within `limits.readable_s`.

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

        `tags` selects points whose tag has the value, or one of the values; the value "" selects
        points without the tag. `fields` names the wanted fields (default: all). Left out are
        points with none of them, and points without a required field of their measurement, as
        these are not stored completely yet. A tag or field that a point lacks is absent from its
        mappings; an empty tag counts as absent.

        Raises:
            UnavailableError, MisconfiguredError: at once or while iterating.
            KeyError: the schema has no such measurement, tag or field.
        """

    def rows(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None,
        fields: Sequence[str],
    ) -> Iterator[Row]:
        """The points that `read` gives, as plain rows, for readers of very many.

        A row is the time, all tags in the schema's order, then `fields`. What a point lacks is
        None, an absent tag None or "". A bool may come as 0 or 1, a float as an int.

        Raises:
            As `read`.
        """

    def delete(self, measurement: str, start: int, stop: int, tags: Mapping[str, str]) -> None:
        """Delete the points with start <= time < stop that have all of `tags`, for good.

        The value "" is for points without the tag. Deleting what is not there does nothing.

        Raises:
            UnavailableError: some may be deleted: delete again.
            MisconfiguredError: the store cannot do it (as `limits.deletes` says), or the token may
                not; the message says how.
            KeyError: the schema has no such measurement or tag.
        """

    def simulated_rows(self) -> Sequence[SimulatedRows]:
        """Where the simulated rows are, by measurement and school.

        Raises:
            UnavailableError, MisconfiguredError: as `read`.
        """

    def simulated(self) -> bool:
        """Whether any row is simulated or derived from simulated rows.

        Raises:
            UnavailableError, MisconfiguredError: as `read`.
        """

    @property
    def clock_ahead(self) -> float | None:
        """How far this machine's clock was ahead of the store server's at the last read, s.

        None if the store has no clock of its own or has not answered yet.
        """

    def close(self) -> None:
        """Close files and connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

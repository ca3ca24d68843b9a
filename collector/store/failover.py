"""One store behind several addresses, such as the query nodes of a cluster.

The first address is used while it answers. Where it does not, the call goes on at the next one, and
the first is tried again after a while. What a silent address may still store: `unanswered`.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from collector.store.base import (
    Point,
    RejectedError,
    Row,
    SimulatedRows,
    Store,
    UnavailableError,
)
from collector.store.unanswered import Unanswered, may_change

#: How long an address that did not answer is passed over, s.
_BACK_S = 60.0
_T = TypeVar("_T")


class FailoverStore(Store):
    """A `Store` that asks `members` in turn: all give the same rows.

    A write that failed at one may be stored already, or later: a report's rows are the same then.
    Derived rows may be newer by then, so they are written once more when that one answers again.
    """

    def __init__(self, members: Sequence[Store], now: Callable[[], float] = time.monotonic) -> None:
        self._members = members
        self._now = now
        self._until = [0.0] * len(members)  # passed over until then
        self._unanswered = [Unanswered() for _ in members]
        self._order = threading.Lock()  # derived rows are written one after the other
        self.limits = members[0].limits

    def write(self, points: Sequence[Point]) -> None:
        """See `Store.write`."""
        changing = may_change(points)
        if not changing:
            self._ask(lambda member: member.write(points))
            return
        with self._order:
            self._write_again()
            try:
                self._ask(lambda member: self._write_to(member, points, changing))
            except RejectedError as error:
                bad = set(map(id, error.points))
                self._stored([point for point in changing if id(point) not in bad])
                raise
            self._stored(changing)

    def _write_to(self, member: Store, points: Sequence[Point], changing: Sequence[Point]) -> None:
        try:
            member.write(points)
        except UnavailableError as error:
            if error.sent:
                self._unanswered[self._members.index(member)].came(changing)
            raise

    def _stored(self, changing: Sequence[Point]) -> None:
        for one in self._unanswered:
            one.stored(changing)

    def _write_again(self) -> None:
        """Where an address answers again, what was stored elsewhere meanwhile."""
        for at, (member, one) in enumerate(zip(self._members, self._unanswered, strict=True)):
            now = self._now()
            if not (rows := one.due(now)) or self._until[at] > now:
                continue
            try:
                with contextlib.suppress(RejectedError):  # the others are written
                    member.write(rows)
                one.written(now + _BACK_S)
            except UnavailableError:
                self._pass_over(member)
                one.came(rows)

    def read(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Point]:
        """See `Store.read`."""
        asked = (measurement, start, stop, _lists(tags), fields)
        return self._ask(lambda member: self._begun(member, member.read(*asked)))

    def rows(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None,
        fields: Sequence[str],
    ) -> Iterator[Row]:
        """See `Store.rows`."""
        asked = (measurement, start, stop, _lists(tags), fields)
        return self._ask(lambda member: self._begun(member, member.rows(*asked)))

    def delete(self, measurement: str, start: int, stop: int, tags: Mapping[str, str]) -> None:
        """See `Store.delete`."""
        self._ask(lambda member: member.delete(measurement, start, stop, tags))

    def simulated_rows(self) -> Sequence[SimulatedRows]:
        """See `Store.simulated_rows`."""
        return self._ask(lambda member: member.simulated_rows())

    def simulated(self) -> bool:
        """See `Store.simulated`."""
        return self._ask(lambda member: member.simulated())

    @property
    def clock_ahead(self) -> float | None:
        """See `Store.clock_ahead`: that of the address in use."""
        return self._in_turn()[0].clock_ahead

    def close(self) -> None:
        """See `Store.close`."""
        for member in self._members:
            member.close()

    def _in_turn(self) -> list[Store]:
        """Those that answer in their order, then those passed over, the longest ago first."""
        now = self._now()
        waits = [max(0.0, until - now) for until in self._until]
        return [self._members[at] for at in sorted(range(len(waits)), key=waits.__getitem__)]

    def _ask(self, call: Callable[[Store], _T]) -> _T:
        *others, last = self._in_turn()
        for member in others:
            try:
                return call(member)
            except UnavailableError:
                self._pass_over(member)
        try:
            return call(last)
        except UnavailableError:
            self._pass_over(last)
            raise

    def _begun(self, member: Store, found: Iterator[_T]) -> Iterator[_T]:
        """The rows, once the first has come: until then another address can still be asked."""
        first = list(itertools.islice(found, 1))
        return itertools.chain(first, self._watched(member, found))

    def _watched(self, member: Store, found: Iterator[_T]) -> Iterator[_T]:
        try:
            yield from found
        except UnavailableError:
            self._pass_over(member)
            raise

    def _pass_over(self, member: Store) -> None:
        self._until[self._members.index(member)] = self._now() + _BACK_S


def _lists(
    tags: Mapping[str, str | Iterable[str]] | None,
) -> Mapping[str, str | Sequence[str]] | None:
    """Values that can be gone through again for another address."""
    if tags is None:
        return None
    return {name: of if isinstance(of, str) else list(of) for name, of in tags.items()}

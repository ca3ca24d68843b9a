"""Other keepers of the same schools, which write the same rows: known by their notes.

A keeper notes in the store that it is about to write, once a run. One that reads such a note
forgets what it remembers of the rows. Two at once are so twice as slow, and never wrong.
"""

from __future__ import annotations

import math
import secrets
import time

from collector.keeper.part import Part
from collector.store import Point, Store

#: Clocks of two machines may differ by so much.
_LATE_NS = 3600 * 10**9
#: A clock that goes otherwise by more than this between two runs was set.
_SET_S = 60.0
#: A keeper that writes for long says so again after this, s.
_AGAIN_S = 30.0


class Others:
    """The notes of one keeper, and those of others."""

    def __init__(self, store: Store, part: Part) -> None:
        self._store, self._part, self._id = store, part, secrets.token_hex(4)
        self._since, self._at = time.time_ns(), time.monotonic()
        self._known: set[tuple[int, str]] = set()
        self._noted_at = -math.inf  # monotonic
        #: Those that wrote lately, as their notes tell; of disjoint schools excepted.
        self.ids: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """What this keeper's notes say."""
        return self._id

    def wrote(self) -> bool:
        """Whether another keeper of these schools wrote since the last call; begins a run.

        Also true where the clock was set meanwhile: notes may have been missed.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        self._noted_at = -math.inf
        first, now, at = not self._known, time.time_ns(), time.monotonic()
        rows = self._store.read("collector", self._since - _LATE_NS, 2**62, fields=["keeper"])
        found = {(point.time, str(point.fields["keeper"])) for point in rows}
        news = {note for note in found - self._known if self._is_other(note[1])}
        self.ids = frozenset(note[1].partition(" ")[2] for note in found if self._is_other(note[1]))
        was_set = abs((now - self._since) / 1e9 - (at - self._at)) > _SET_S
        self._known, self._since, self._at = found | {(0, "")}, now, at
        return (bool(news) and not first) or was_set

    def about_to_write(self) -> None:
        """Note it, at the first row of a run and as long as it writes: others look now and then.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.write`.
        """
        now = time.monotonic()
        if now - self._noted_at > _AGAIN_S:
            note = {"keeper": f"{self._part} {self._id}"}
            self._store.write([Point("collector", {}, note, time.time_ns())])
            self._noted_at = now

    def _is_other(self, note: str) -> bool:
        part, _, id_ = note.partition(" ")
        number, _, of = part.partition("/")
        disjoint = of == str(self._part.of) and number != str(self._part.number)
        return id_ != self._id and not disjoint

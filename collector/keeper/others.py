"""Other keepers of the same schools, which write the same rows: known by their notes.

A keeper notes in the store that it is about to write, once a run. One that reads such a note
forgets what it remembers of the rows. Two at once are so twice as slow, and never wrong.
"""

from __future__ import annotations

import secrets
import time

from collector.keeper.part import Part
from collector.store import Point, Store

#: Clocks of two machines may differ by so much.
_LATE_NS = 3600 * 10**9


class Others:
    """The notes of one keeper, and those of others."""

    def __init__(self, store: Store, part: Part) -> None:
        self._store, self._part, self._id = store, part, secrets.token_hex(4)
        self._since = time.time_ns()
        self._known: set[tuple[int, str]] = set()
        self._noted = False

    def wrote(self) -> bool:
        """Whether another keeper of these schools wrote since the last call; begins a run.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        self._noted = False
        first, now = not self._known, time.time_ns()
        rows = self._store.read("collector", self._since - _LATE_NS, 2**62, fields=["keeper"])
        found = {(point.time, str(point.fields["keeper"])) for point in rows}
        news = {note for note in found - self._known if self._is_other(note[1])}
        self._known, self._since = found | {(0, "")}, now
        return bool(news) and not first

    def about_to_write(self) -> None:
        """Note it, once a run.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.write`.
        """
        if not self._noted:
            note = {"keeper": f"{self._part} {self._id}"}
            self._store.write([Point("collector", {}, note, time.time_ns())])
            self._noted = True

    def _is_other(self, note: str) -> bool:
        part, _, id_ = note.partition(" ")
        number, _, of = part.partition("/")
        disjoint = of == str(self._part.of) and number != str(self._part.number)
        return id_ != self._id and not disjoint

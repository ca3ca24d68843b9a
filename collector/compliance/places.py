"""Finds the rooms that saw the same device: where it belongs, the rows of all of them decide.

They are found by the list of each school's displays in `school_day`, which is written with the
day's rows of rooms: those would be too many to read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

import msgspec

from collector.compliance.reader import Tags
from collector.compliance.split import Seen
from collector.store import Store


def written(rooms: Mapping[str, Collection[str]]) -> str:
    """The field `display_rooms` of `school_day`: identity -> rooms, as JSON."""
    listed = {identity: sorted(names) for identity, names in sorted(rooms.items())}
    return msgspec.json.encode(listed).decode() if listed else ""


def places(store: Store, start: int, stop: int, tags: Tags | None = None) -> Iterator[Seen]:
    """Each device and each room that saw it, on days from `start` to before `stop`.

    `tags`: as of `Store.read`.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`, also while iterating.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for _, school, _, text in store.rows("school_day", start, stop, tags, ["display_rooms"]):
        if not text:
            continue
        # Most of a day's entries stood there on another day: decoding them all again takes longer.
        entries = text.split("],")
        if not known[school].issuperset(entries):
            known[school].update(entries)
            for identity, rooms in _decode(text).items():
                yield from ((identity, (school, room)) for room in rooms)


_decode = msgspec.json.Decoder(dict[str, list[str]]).decode

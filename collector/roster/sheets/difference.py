"""What an import would change: rows added, removed and changed, by sheet. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.roster.rows import Rows

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The keys of one sheet's rows that an import adds, removes and changes."""

    added: Sequence[Key] = field(default_factory=tuple)
    removed: Sequence[Key] = field(default_factory=tuple)
    changed: Sequence[Key] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


#: The key by which a row is recognized before and after.
_KEYS: Mapping[str, Callable[[Any], Key]] = {
    "schools": lambda row: (row.code,),
    "campuses": lambda row: (row.school, row.campus),
    "lines": lambda row: (row.school, row.line),
    "rooms": lambda row: (row.school, row.room),
    "classes": lambda row: (row.school, row.name, row.start),
    "equipment": lambda row: (row.school, row.room, row.kind, row.serial),
    "machines": lambda row: (row.school, row.pattern),
    "calendar": lambda row: (row.first, row.kind),
}


def difference(before: Rows, after: Rows) -> dict[str, Change]:
    """The change of each sheet, in the sheets' order; unchanged sheets are included."""
    return {
        name: _change(getattr(before, name), getattr(after, name), key)
        for name, key in _KEYS.items()
    }


def _change(before: Sequence[Any], after: Sequence[Any], key: Callable[[Any], Key]) -> Change:
    old, new = _keyed(before, key), _keyed(after, key)
    return Change(
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        changed=[name for name, row in new.items() if name in old and old[name] != row],
    )


def _keyed(rows: Sequence[Any], key: Callable[[Any], Key]) -> dict[Key, Any]:
    """Rows by key; a repeated key gets a running number, so that each row is counted."""
    times: Counter[Key] = Counter()
    found = {}
    for row in rows:
        name = key(row)
        times[name] += 1
        found[name if times[name] == 1 else (*name, times[name])] = row
    return found

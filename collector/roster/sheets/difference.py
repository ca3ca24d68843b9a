"""What an import would change: rows added, removed and changed field by field, by sheet. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from collector.roster.rows import Rows

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A row that stays, as it will be, and what of it changes: field -> (before, after)."""

    row: Any
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """The rows of one sheet that an import adds, removes and changes."""

    added: Sequence[Any] = field(default_factory=tuple)
    removed: Sequence[Any] = field(default_factory=tuple)
    changed: Sequence[Edit] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def sizes(self) -> dict[str, int]:
        """How many rows of each kind."""
        return {
            "added": len(self.added),
            "removed": len(self.removed),
            "changed": len(self.changed),
        }


#: The fields by which a row is recognized before and after. Several rows may share them.
KEYS: Mapping[str, tuple[str, ...]] = {
    "schools": ("code",),
    "campuses": ("school", "campus"),
    "lines": ("school", "line"),
    "rooms": ("school", "room"),
    "classes": ("school", "name"),
    "equipment": ("school", "room", "kind"),
    "machines": ("school", "pattern"),
    "calendar": ("first", "kind"),
}


def difference(before: Rows, after: Rows) -> dict[str, Change]:
    """The change of each sheet, in the sheets' order; unchanged sheets are included.

    A row that stands in both as it is, is no change, wherever it stands. Of those left, rows with
    the same key are one row with other values, in the order of the sheets.
    """
    return {
        name: _change(getattr(before, name), getattr(after, name), key)
        for name, key in KEYS.items()
    }


def removals(changes: Mapping[str, Change]) -> int:
    """How many rows would be taken out of the register."""
    return sum(len(change.removed) for change in changes.values())


def key_of(sheet: str, row: Any) -> Key:
    """What names a row within its sheet."""
    return _key(row, KEYS[sheet])


def _change(before: Sequence[Any], after: Sequence[Any], key: tuple[str, ...]) -> Change:
    old, new = _without(before, after), _without(after, before)
    waiting: dict[Key, list[Any]] = defaultdict(list)
    for row in reversed(old):
        waiting[_key(row, key)].append(row)
    added, changed = [], []
    for row in new:
        name = _key(row, key)
        if waiting[name]:
            changed.append(Edit(row, _fields(waiting[name].pop(), row)))
        else:
            added.append(row)
    left = Counter(row for rows in waiting.values() for row in rows)
    return Change(added, list(_taken(old, left)), changed)


def _without(rows: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """The rows that `others` do not have, or not as often."""
    left = Counter(rows)
    left.subtract(Counter(others))
    return list(_taken(rows, left))


def _taken(rows: Iterable[Any], times: Counter[Any]) -> Iterable[Any]:
    """Each row as often as `times` says, in the order of `rows`."""
    for row in rows:
        if times[row] > 0:
            times[row] -= 1
            yield row


def _key(row: Any, names: tuple[str, ...]) -> Key:
    return tuple(getattr(row, name) for name in names)


def _fields(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    pairs = {item.name: (getattr(old, item.name), getattr(new, item.name)) for item in fields(old)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

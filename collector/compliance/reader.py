"""Reads rows of evidence from a store, between two times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache

from agent.common.calendar import local_day
from agent.common.vocabulary.thresholds import is_lossy
from collector.compliance.model import DoubtDay, LineRecord, LineTest, RoomDay
from collector.store import Store
from collector.store.base import Row

Key = tuple[str, str]  # school, and its room or line
Tags = Mapping[str, Iterable[str]]
_SEEN = ("computer", "display", "sound", "microphone", "camera")
_ROOM_FIELDS = (*_SEEN, "pcs", "simulated", "display_ids", "together")
_TEST_FIELDS = (
    "uncertain", "test", "outcome", "down_mbps", "payload_down", "seconds", "wired", "solo",
    "other_share", "server_limited", "simulated", "interface", "reason", "long", "burst",
    "pc_limited", "nic_mbps", "late_days", "loss_share", "latency_ms", "loaded_ms",
)  # fmt: skip
_RECORD_FIELDS = (
    "uncertain", "test", "outcome", "sent_bytes", "down_mbps", "solo", "simulated", "address",
    "server_limited", "late_days",
)  # fmt: skip
_DOUBTS = ("ids_beyond", "ids_alike", "ids_unnamed", "ids_late")
_DAY = 86_400 * 10**9
#: Rooms repeat what they saw: equal sets are one.
_seen = lru_cache(maxsize=1 << 5)(
    lambda flags: frozenset(name for name, flag in zip(_SEEN, flags, strict=True) if flag)
)
_day = lru_cache(maxsize=1 << 10)(local_day)


class Reader:
    """Reads the rows with start <= time < stop, ns since 1970 UTC.

    Raises:
        UnavailableError, MisconfiguredError: by any method, as `Store.read`, also while iterating.
    """

    def __init__(self, store: Store, start: int, stop: int) -> None:
        self._store = store
        self._start = start
        self._stop = stop

    def room_days(self, tags: Tags | None = None) -> Iterator[RoomDay]:
        """Rows of `room_day`."""
        texts: dict[str, str] = {}  # a room's displays are written alike on most days
        for row in self._rows("room_day", _ROOM_FIELDS, tags):
            time, school, _, room = row[:_FIRST]
            pcs, simulated, displays, together = row[_AFTER_SEEN:]
            text = None if displays is None else texts.setdefault(displays, displays)
            yield RoomDay(
                school or "", room or "", _day(time // 10**9), pcs or 0,
                _seen(row[_FIRST:_AFTER_SEEN]), bool(simulated), text, together or 0,
            )  # fmt: skip

    def doubt_days(self, tags: Tags | None = None) -> Iterator[DoubtDay]:
        """Rows of `school_day` that say something odd about machine ids."""
        for time, school, _, *numbers in self._rows("school_day", _DOUBTS, tags):
            if any(numbers):
                found = (number or 0 for number in numbers)
                yield DoubtDay(school or "", _day(time // 10**9), *found)

    def line_tests(self, tags: Tags | None = None) -> Iterator[LineTest]:
        """Rows of `line_test` whose time is certain."""
        return map(_line_test, self._certain("line_test", _TEST_FIELDS, tags))

    def line_records(self, tags: Tags | None = None) -> Iterator[LineRecord]:
        """Rows of `line_record` whose time is certain.

        A day more at both ends, as the server may end a test on the other side of midnight.
        """
        wide = Reader(self._store, max(0, self._start - _DAY), self._stop + _DAY)
        return map(_line_record, wide._certain("line_record", _RECORD_FIELDS, tags))

    def room_days_of(self, keys: Set[Key]) -> Iterator[RoomDay]:
        """Rows of `room_day` of these rooms."""
        for tags in _parts(keys, "room"):
            yield from self.room_days(tags)

    def line_tests_of(self, keys: Set[Key]) -> Iterator[LineTest]:
        """Rows of `line_test` of these lines."""
        for tags in _parts(keys, "line"):
            yield from self.line_tests(tags)

    def line_records_of(self, keys: Set[Key]) -> Iterator[LineRecord]:
        """Rows of `line_record` of these lines."""
        for tags in _parts(keys, "line"):
            yield from self.line_records(tags)

    def _certain(self, name: str, fields: Sequence[str], tags: Tags | None) -> Iterator[Row]:
        """Rows whose first field, `uncertain`, is not set."""
        return (row for row in self._rows(name, fields, tags) if not row[_FIRST])

    def _rows(self, name: str, fields: Sequence[str], tags: Tags | None) -> Iterator[Row]:
        return self._store.rows(name, self._start, self._stop, tags, fields)


_FIRST = 4  # of the fields: after time and three tags
_AFTER_SEEN = _FIRST + len(_SEEN)


def _parts(keys: Set[Key], tag: str) -> Iterator[Tags]:
    """Tags to query for the keys, a school at a time: schools give their rooms the same names."""
    names: dict[str, list[str]] = defaultdict(list)
    for school, name in sorted(keys):
        names[school].append(name)
    for school, found in names.items():
        yield {"school": (school,), tag: found}


def _line_test(row: Row) -> LineTest:
    (
        time, school, machine, line, _, test, outcome, down, payload, seconds, wired, solo, other,
        limited, simulated, interface, reason, long, burst, pc_limited, nic, late,
        *losses,
    ) = row  # fmt: skip
    return LineTest(
        school or "", machine or "", line or "", test or "", time, outcome or "",
        None if down is None else float(down), payload, None if seconds is None else float(seconds),
        _bool(wired), _bool(solo), None if other is None else float(other), _bool(limited),
        bool(simulated), interface or "", reason or "", bool(long), bool(burst),
        _bool(pc_limited), None if nic is None else float(nic), late or 0,
        is_lossy(*losses),
    )  # fmt: skip


def _line_record(row: Row) -> LineRecord:
    (
        time, school, machine, line, _, test, outcome, sent, down, solo, simulated, address,
        limited, late,
    ) = row  # fmt: skip
    return LineRecord(
        school or "", machine or "", line or "", test or "", time, outcome or "", sent or 0,
        None if down is None else float(down), _bool(solo) is True, bool(simulated),
        address or "", _bool(limited), late or 0,
    )  # fmt: skip


def _bool(value: object) -> bool | None:
    return None if value is None else bool(value)

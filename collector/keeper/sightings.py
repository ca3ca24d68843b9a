"""Which display was seen when, within a device's day. Pure.

A connector is no device: a projector carried into a class comes to the connector of the one that
stands there. So a device's day keeps, for each display that it was, the times at which it was seen.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from collector.compliance.displays import BUILT_IN, HALF_HOUR_S, PANEL_CM, TOLD, UNKNOWN, Display
from collector.keeper.fields import number, text
from collector.keeper.midnight import MS
from collector.store import Point, Value

#: A field of a raw point without an EDID: the display last seen there, as `identity:kind`.
HIDDEN = "hidden"
#: Sightings this close, s, are one stay: two reports, which leave every five minutes.
_GAP_S = 660
#: Connectors of network devices begin so; their name is what their user calls them.
_LISTED = "net:"
_WORDS = ("maker", "model", "serial", "serial_number", "name")
_DATE = ("year", "week")


class Who(NamedTuple):
    """A display: its identity, empty if it has no usable one, and its kind as it tells it."""

    identity: str
    kind: str


Stays = list[tuple[int, int]]  # first and last second of the local day, in order, apart
Sightings = dict[Who, Stays]


def identity_of(fields: Mapping[str, Value]) -> str:
    """The hash of a display's maker, model, name, date of make and both serials.

    Empty without a maker, a model and a serial that is no placeholder: then nothing tells it from
    others of its kind.
    """
    if not all(text(fields, name) for name in ("maker", "model", "serial")):
        return ""
    words = [text(fields, name) for name in _WORDS]
    if text(fields, "connector").startswith(_LISTED):
        words[-1] = ""
    dates = [str(number(fields, name) or "") for name in _DATE]
    return _hash("\0".join([*words, *dates]))


@lru_cache(maxsize=1024)
def _hash(words: str) -> str:
    """A day asks for the same ones again and again."""
    return hashlib.blake2b(words.encode(), digest_size=6).hexdigest()


def told(kind: str, width_cm: int | None) -> str:
    """The kind of a display by its own word; empty if it is none for a class.

    A built-in screen is a laptop's, or an interactive panel's with a PC: its width tells.
    """
    if kind == BUILT_IN:
        return BUILT_IN if width_cm is None else "panel" if width_cm > PANEL_CM else ""
    return kind if kind in TOLD or kind == UNKNOWN else ""


def add_reading(found: Sightings, point: Point, day_start: int) -> None:
    """Add a raw point at which the device was present; `day_start` in ns since 1970 UTC."""
    who, second = who_of(point), (point.time - day_start) // 10**9
    if who is None:
        return
    # Something else without an EDID may be plugged in, so this proves no place of an identity.
    proves = not (who.identity and HIDDEN in point.fields)
    add_stays(found, who, [(second, second)] if proves else [])


def who_of(point: Point) -> Who | None:
    """The display that a raw point is of; None if it is of none for a class."""
    fields = point.fields
    if hidden := text(fields, HIDDEN):
        return Who(*hidden.split(":"))
    kind = told(point.tags.get("kind", ""), number(fields, "width_cm"))
    return Who(identity_of(fields), kind) if kind else None


def add_stored(found: Sightings, row: Point) -> None:
    """Add a stored `device_day` row; one of an older keeper has no times but the first and last."""
    if "sightings" in row.fields:
        for who, stays in _read(text(row.fields, "sightings")):
            add_stays(found, who, stays)
    else:
        for who, stays in _of_older(row):
            add_stays(found, who, stays)


def add_stays(found: Sightings, who: Who, stays: Stays) -> None:
    """Add times at which a display was seen, in any order."""
    found[who] = joined([*found.get(who, ()), *stays])


def joined(stays: Iterable[tuple[int, int]]) -> Stays:
    """The stays in order, those close to each other as one."""
    merged: Stays = []
    for first, last in sorted(stays):
        if merged and first - merged[-1][1] <= _GAP_S:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged


def written(found: Sightings) -> str:
    """The field `sightings` of `device_day`."""
    return ",".join(
        f"{who.identity}:{who.kind}:" + "+".join(f"{first}-{last}" for first, last in stays)
        for who, stays in sorted(found.items())
    )


def latest(sightings: str) -> str:
    """The display of a stored field that was seen last, as `identity:kind`; empty: none."""
    found = [(stays[-1][1] if stays else -1, who) for who, stays in _read(sightings)]
    return ":".join(max(found)[1]) if found else ""


def _read(sightings: str) -> Iterator[tuple[Who, Stays]]:
    for part in filter(None, sightings.split(",")):
        identity, kind, times = part.split(":")
        pairs = (time.split("-") for time in times.split("+") if time)
        yield Who(identity, kind), [(int(first), int(last)) for first, last in pairs]


def _of_older(row: Point) -> Iterator[tuple[Who, Stays]]:
    kind = told(row.tags.get("kind", ""), width_cm=0)
    if kind and row.fields.get("seen") is True:
        first, last = number(row.fields, "first_ms"), number(row.fields, "last_ms")
        start = row.time // MS
        times = (
            []
            if first is None or last is None
            else [((first - start) // 1000, (last - start) // 1000)]
        )
        yield Who(identity_of(row.fields), kind), times


def displays_of(rows: Iterable[Point]) -> list[Display]:
    """The displays of a room's `device_day` rows.

    Two PCs that see one identity see one display. Where a connector had a display with an identity
    that day, what it was without one is the same: its EDID was hidden for a while.
    """
    merged: dict[Who, Stays] = defaultdict(list)
    own: list[Display] = []
    for row in rows:
        found: Sightings = {}
        add_stored(found, row)
        named = [who for who in found if who.identity]
        for who, stays in found.items():
            if who.identity:
                merged[who] += stays
            elif not named:
                own.append(Display("", who.kind))
    return [*own, *(Display(*who, half_hours(joined(stays))) for who, stays in merged.items())]


def half_hours(stays: Iterable[tuple[int, int]]) -> int:
    """The half hours of the day that the stays fill by more than half, one bit each."""
    whole, seconds = 0, defaultdict[int, int](int)
    for first, last in stays:
        begin, end = first // HALF_HOUR_S, last // HALF_HOUR_S
        if begin == end:
            seconds[begin] += last - first
            continue
        seconds[begin] += (begin + 1) * HALF_HOUR_S - first
        seconds[end] += last - end * HALF_HOUR_S
        whole |= (1 << end) - (1 << begin + 1)  # those between
    return whole | sum(1 << n for n, filled in seconds.items() if filled * 2 > HALF_HOUR_S)

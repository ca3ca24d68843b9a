"""Points as line protocol. Pure.

The text is built here, as the client's Point objects take several times as long. What cannot be
escaped (a control character or trailing backslash in a tag) was refused by `check` before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from collector.schema import MEASUREMENTS
from collector.store.base import Point, Value
from collector.store.check import EXACT, MAX_TIME, MIN_TIME, MOST

_IN_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_IN_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})
#: Sorted here, as the server has to sort them otherwise.
_TAGS = {name: tuple(sorted(known.tags)) for name, known in MEASUREMENTS.items()}
#: The format of each type's values.
_WRITTEN: dict[type, str] = {bool: "%s", int: "%di", float: "%r", str: '"%s"'}
_Picked = Callable[[Any], tuple[Any, ...]]


def line(point: Point) -> bytes:
    """One line, without a line break. Empty tags are left out.

    Raises:
        KeyError: the schema has no such measurement; see `check.fault`.
    """
    head = point.measurement
    for name in _TAGS[head]:
        tag = point.tags.get(name)
        if tag:
            # Nearly all are codes and ids, and translating costs more than all the rest.
            head += f",{name}={tag if tag.isalnum() else tag.translate(_IN_TAG)}"
    exact = EXACT[point.measurement]
    fields = []
    for name, value in point.fields.items():  # numbers, nearly all fields, need no call
        kind = type(value)
        if kind is float or (kind is int and exact.get(name) is float):
            fields.append(f"{name}={float(value)!r}")
        elif kind is int:
            fields.append(f"{name}={value}i")
        else:
            fields.append(f"{name}={_quoted(value)}")
    return f"{head} {','.join(fields)} {point.time}".encode()


def _quoted(value: Value) -> str:
    if not isinstance(value, str):
        return str(value)
    plain = '"' not in value and "\\" not in value
    return f'"{value if plain else value.translate(_IN_TEXT)}"'


def plain_lines(points: Iterable[Point]) -> Iterator[tuple[Point, bytes | None]]:
    """Each point with its line, if every store can hold it and it needs no escaping: nearly all.

    Any other has None, and must go through `check.fault` and `line`. This takes a third less time,
    as names and types are checked once for all points of the same shape, and tags once for all
    points of a report, which share them.
    """
    tags: Mapping[str, str] | None = None
    coded = False
    for point in points:
        if point.tags is not tags:
            tags = point.tags
            coded = _codes(tags.values())
        yield point, _plain_line(point) if coded else None


def _codes(values: Collection[str]) -> bool:
    try:
        together = "".join(values)
    except TypeError:  # one is no text
        return False
    return together.isascii() and together.isalnum() and all(values)


def _plain_line(point: Point) -> bytes | None:
    """The same of a point whose tags need no escaping."""
    measurement, tags, fields, time = point
    values = tuple(fields.values())
    shape = _shape(measurement, tuple(tags), tuple(fields), tuple(map(type, values)))
    if shape is None or type(time) is not int or not MIN_TIME <= time <= MAX_TIME:
        return None
    if not _bounded(shape.numbers(values)):
        return None
    text = shape.text % (*shape.tags(tags), *values, time)
    return text.encode() if _plain(text, shape.quotes) else None


def _bounded(numbers: Sequence[float]) -> bool:
    """Whether all are finite and fit an int field: none is larger than their length as a vector."""
    try:
        return math.hypot(*numbers) <= MOST
    except OverflowError:
        return False


def _plain(text: str, quotes: int) -> bool:
    """Whether its values have nothing to escape: only our own quotes, so many, are in it."""
    odd = text.count('"') != quotes or "\\" in text or "\0" in text
    return not odd and text.isascii()


class _Shape(NamedTuple):
    """The line format of points with the same measurement, tags, fields and types."""

    text: str  # a line with a place for each tag, each field and the time
    tags: _Picked  # in the text's order
    numbers: _Picked
    quotes: int  # in the text


@lru_cache(maxsize=1024)
def _shape(
    measurement: str, tags: tuple[str, ...], fields: tuple[str, ...], types: tuple[type, ...]
) -> _Shape | None:
    """None if the schema lacks one of the names or has another type for it."""
    exact, order = EXACT.get(measurement, {}), sorted(tags)
    kinds = dict(zip(fields, types, strict=True))
    if not kinds or any(exact.get(name) is not kind for name, kind in kinds.items()):
        return None
    if not set(tags) <= set(_TAGS[measurement]):
        return None
    head = ",".join([measurement, *(f"{name}=%s" for name in order)])
    body = ",".join(f"{name}={_WRITTEN[kind]}" for name, kind in kinds.items())
    numbers = [at for at, kind in enumerate(types) if kind in (int, float)]
    text = f"{head} {body} %d"
    return _Shape(text, _picked(order), _picked(numbers), text.count('"'))


def _picked(keys: Sequence[Any]) -> _Picked:
    """A function that gets these items of a mapping or sequence as a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda held: tuple(held[key] for key in keys)

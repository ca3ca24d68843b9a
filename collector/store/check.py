"""Finds points that no store can hold, before they are written. Pure.

Both stores refuse the same points, so that a city can move from one to the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from collector.schema import MEASUREMENTS, Measurement, Type
from collector.store.base import Point, RejectedError, Value

#: InfluxDB's range of times: int64 without its two lowest values and its highest.
MIN_TIME, MAX_TIME = -(2**63) + 2, 2**63 - 2
_TYPES: dict[Type, type[Value]] = {"int": int, "float": float, "bool": bool, "str": str}
EXACT = {
    name: {field.name: _TYPES[field.type] for field in measurement.fields.values()}
    for name, measurement in MEASUREMENTS.items()
}
_LEAST, MOST = -(2**63), 2**63 - 1
#: The last are halves of surrogate pairs.
_NO_TAG = re.compile("[\0-\x1f\x7f\ud800-\udfff]|\\\\\\Z")
_NAMED = 3  # reasons given in an error; of more, only the number


def sift(points: Iterable[Point]) -> tuple[list[Point], list[tuple[Point, str]]]:
    """The points that a store can hold, and the others with the reason for each."""
    good: list[Point] = []
    bad: list[tuple[Point, str]] = []
    for point in points:
        reason = fault(point)
        if reason:
            bad.append((point, reason))
        else:
            good.append(point)
    return good, bad


def fault(point: Point) -> str:
    """Why no store can hold `point`; empty if every store can."""
    measurement = MEASUREMENTS.get(point.measurement)
    if measurement is None:
        return f"no measurement {point.measurement!r}"
    if type(point.time) is not int or not MIN_TIME <= point.time <= MAX_TIME:
        return f"{point.measurement}: time {point.time!r} is not an int64 of nanoseconds"
    if not point.fields:
        return f"{point.measurement}: no fields"
    return _tags_fault(measurement, point) or _fields_fault(measurement, point)


def _tags_fault(measurement: Measurement, point: Point) -> str:
    for name, value in point.tags.items():
        if name not in measurement.tags:
            return f"{measurement.name}: no tag {name!r}"
        plain = type(value) is str and value.isascii() and value.isalnum()  # nearly all tags
        if not plain and (type(value) is not str or not _taggable(value)):
            return f"{measurement.name}: tag {name} cannot be {value!r}"
    return ""


def _taggable(value: str) -> bool:
    """Line protocol cannot write control characters or a trailing backslash in a tag."""
    return _NO_TAG.search(value) is None


def _fields_fault(measurement: Measurement, point: Point) -> str:
    exact: Mapping[str, Any] = EXACT[measurement.name]
    for name, value in cast("Mapping[str, Any]", point.fields).items():
        kind = exact.get(name)
        if kind is type(value) and (  # fast path for nearly all fields
            kind is bool
            or (kind is int and _LEAST <= value <= MOST)
            or (kind is str and value.isascii() and "\0" not in value)
            or _storable(value)
        ):
            continue
        if kind is None:
            return f"{measurement.name}: no field {name!r}"
        if type(value) is not kind and not (kind is float and type(value) is int):
            return f"{measurement.name}: {name} must be {kind.__name__}, not {value!r}"
        if not _storable(value):
            return f"{measurement.name}: {name} cannot be {value!r}"
    return ""


def _storable(value: Value) -> bool:
    if isinstance(value, int):
        return _LEAST <= value <= MOST
    if isinstance(value, float):
        return math.isfinite(value)
    return "\0" not in value and (value.isascii() or _encodable(value))


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def refuse(bad: Sequence[tuple[Point, str]]) -> None:
    """Do nothing if `bad` is empty.

    Raises:
        RejectedError: `bad` is not empty; it has the points and up to three of their reasons.
    """
    if not bad:
        return
    reasons = list(dict.fromkeys(reason for _, reason in bad))
    more = f"; +{len(reasons) - _NAMED}" if len(reasons) > _NAMED else ""
    raise RejectedError([point for point, _ in bad], "; ".join(reasons[:_NAMED]) + more)

"""Fields and tags of points, read with their types. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from collector.store import Point, Value


def number(fields: Mapping[str, Value], name: str) -> int | None:
    """An int field, None if the point lacks it."""
    value = fields.get(name)
    return value if type(value) is int else None  # a bool is none


def text(fields: Mapping[str, Value], name: str) -> str:
    """A text field, empty if the point lacks it."""
    value = fields.get(name, "")
    return value if type(value) is str else ""


def certain(point: Point) -> bool:
    """Whether a raw point's time is certain; points with an uncertain time count for no day."""
    return point.fields.get("uncertain") is not True


def least(one: int | None, other: int | None) -> int | None:
    """The smaller one, ignoring None."""
    return other if one is None else one if other is None else min(one, other)


def most(one: int | None, other: int | None) -> int | None:
    """The larger one, ignoring None."""
    return other if one is None else one if other is None else max(one, other)

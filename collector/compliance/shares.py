"""Formats exact shares for people; the only place that rounds them. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

NO_UNITS = "—"


def shown(share: Fraction | None, target: Fraction | None = None) -> str:
    """The share in percent with one decimal, as `79.9%`; "—" if there are no units.

    Rounded half up, but never across the target, nor to 0 or 100 unless exact. `share` and `target`
    are fractions of 1.
    """
    tenths = _tenths(share, target)
    return NO_UNITS if tenths is None else f"{tenths // 10}.{tenths % 10}%"


def shown_value(share: Fraction | None, target: Fraction | None = None) -> float | None:
    """The number that `shown` shows, in percent; None if there are no units."""
    tenths = _tenths(share, target)
    return None if tenths is None else tenths / 10


def exact(number: float) -> Fraction:
    """The decimal that a setting or a reading was written as: 0.97 is 97/100, not its double."""
    return Fraction(repr(float(number)))


def _tenths(share: Fraction | None, target: Fraction | None) -> int | None:
    if share is None:
        return None
    tenths = math.floor(share * 1000 + Fraction(1, 2))
    if share < 1:
        tenths = min(tenths, 999)
    if share > 0:
        tenths = max(tenths, 1)
    if target is None:
        return tenths
    goal = math.ceil(target * 1000)
    return min(tenths, goal - 1) if share < target else max(tenths, goal)

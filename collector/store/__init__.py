"""Stores of points: one interface, two implementations, one contract suite."""

from collector.store.base import (
    MisconfiguredError,
    Point,
    RejectedError,
    Store,
    StoreError,
    UnavailableError,
    Value,
)

__all__ = [
    "MisconfiguredError",
    "Point",
    "RejectedError",
    "Store",
    "StoreError",
    "UnavailableError",
    "Value",
]

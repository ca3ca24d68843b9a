"""Derives from the store what needs history: days, rooms, indicators."""

from collector.keeper.keeper import Keeper

__all__ = ["Keeper"]

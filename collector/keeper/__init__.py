"""Derives what needs history from the store: day and hour rows, events, audit, indicators."""

from collector.keeper.keeper import Keeper

__all__ = ["Keeper"]

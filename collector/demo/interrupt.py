"""Ctrl-C, kill and a closed terminal: each ends the demo once, and never between two steps that
belong together."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupt:
    """Turns the first signal into one KeyboardInterrupt; later ones change nothing."""

    def __init__(self) -> None:
        self._told = False
        self._holding = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals until the block ends."""
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {number: signal.signal(number, self._hear) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is in the block is done whole; a signal meanwhile is raised after it."""
        told, self._holding = self._told, True
        try:
            yield
        finally:
            self._holding = False
        if self._told and not told:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise again what Python may have swallowed: what a finalizer raises is lost."""
        if self._told:
            raise KeyboardInterrupt

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        told, self._told = self._told, True
        if not told and not self._holding:
            raise KeyboardInterrupt

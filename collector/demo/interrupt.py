"""Ctrl-C, kill and a closed terminal: each ends the demo once, and never between two actions that
belong together, such as starting a process and recording it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupt:
    """Turns the first signal into one KeyboardInterrupt; later ones change nothing."""

    def __init__(self) -> None:
        self._signalled = False
        self._holding = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals until the block ends."""
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {number: signal.signal(number, self._handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The block runs to its end; a signal during it is raised afterwards."""
        before, self._holding = self._signalled, True
        try:
            yield
        finally:
            self._holding = False
        if self._signalled and not before:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise again what Python may have swallowed: an exception in a finalizer is lost."""
        if self._signalled:
            raise KeyboardInterrupt

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        before, self._signalled = self._signalled, True
        if not before and not self._holding:
            raise KeyboardInterrupt

"""Ctrl-C, kill and a closed terminal: end the demo once, never inside a protected block."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupt:
    """Turns the first signal into one KeyboardInterrupt; later ones are ignored."""

    def __init__(self) -> None:
        self._signalled = False
        self._holding = False

    @contextmanager
    def installed(self) -> Iterator[None]:
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
        """Complete the block; a signal during it raises KeyboardInterrupt after it."""
        before, self._holding = self._signalled, True
        try:
            yield
        finally:
            self._holding = False
        if self._signalled and not before:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise again if interrupted: Python drops what is raised during a finalizer."""
        if self._signalled:
            raise KeyboardInterrupt

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        before, self._signalled = self._signalled, True
        if not before and not self._holding:
            raise KeyboardInterrupt

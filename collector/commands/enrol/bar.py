"""A progress bar on standard error for what takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

_AFTER_S = 2.0


class Bar:
    """Called with how many are done; shows nothing before two seconds, nor where no terminal is."""

    def __init__(self, text: str, total: int) -> None:
        console = Console(file=sys.stderr, highlight=False)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task(text, total=total)
        self._show_at = time.monotonic() + _AFTER_S
        self._shown = False
        self._terminal = console.is_terminal

    def __call__(self, done: int) -> None:
        """So many are done."""
        if self._terminal and not self._shown and time.monotonic() >= self._show_at:
            self._shown = True
            self._progress.start()
        self._progress.update(self._task, completed=done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            self._progress.stop()

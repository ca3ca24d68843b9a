"""What a long command is doing, on a terminal, once it takes longer than two seconds."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from agent.common.printable import shown
from collector.commands.tables import plain_console

_AFTER_S = 2.0


class Progress:
    """A line with a spinner on standard error; nothing where that is no terminal."""

    def __init__(
        self, console: Console | None = None, after_s: float = _AFTER_S, *, steps: int = 0
    ) -> None:
        """`steps`: how many there will be, where that is known; each says which it is."""
        self._steps, self._begun = steps, 0
        self._console = console or plain_console(stderr=True)
        self._status = self._console.status("")
        self._timer = threading.Timer(after_s, self._status.start)
        self._timer.daemon = True

    def step(self, text: str) -> None:
        """What is done from now on."""
        self._begun += 1
        which = f"{self._begun}/{self._steps} " if self._steps else ""
        self._status.update(Text(which + shown(text)))

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._timer.ident is not None:
            self._timer.join()
        self._status.stop()

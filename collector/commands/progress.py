"""What a long command is doing, on a terminal, once it takes longer than two seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeVar

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from agent.common.printable import shown
from collector.commands.tables import plain_console

_AFTER_S = 2.0
_T = TypeVar("_T")


class _Drawn(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


class _Later:
    """On standard error after a time; nothing where that is no terminal."""

    def __init__(
        self, drawn: Callable[[Console], _Drawn], console: Console | None, after_s: float
    ) -> None:
        self._console = console or plain_console(stderr=True)
        self._drawn = drawn(self._console)
        self._started = False
        self._timer = threading.Timer(after_s, self._start)
        self._timer.daemon = True

    def _start(self) -> None:
        self._started = True
        self._drawn.start()

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
        if self._started:
            self._drawn.stop()


class Progress(_Later):
    """A line with a spinner: what is done now."""

    def __init__(
        self, console: Console | None = None, after_s: float = _AFTER_S, *, steps: int = 0
    ) -> None:
        """`steps`: how many there will be, where that is known; each says which it is."""
        self._steps, self._begun = steps, 0
        super().__init__(self._make, console, after_s)

    def _make(self, console: Console) -> _Drawn:
        self._status = console.status("")
        return self._status

    def step(self, text: str) -> None:
        """What is done from now on."""
        self._begun += 1
        which = f"{self._begun}/{self._steps} " if self._steps else ""
        self._status.update(Text(which + shown(text)))


class Bar(_Later):
    """A bar: how many are done, of how many where that is known, and how long it has taken."""

    def __init__(
        self,
        text: str = "",
        total: int | None = None,
        console: Console | None = None,
        after_s: float = _AFTER_S,
    ) -> None:
        self._text, self._total = text, total
        super().__init__(self._make, console, after_s)

    def _make(self, console: Console) -> _Drawn:
        count = "{task.completed:,.0f}" + ("/{task.total:,.0f}" if self._total else "")
        columns = (
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(20),
            bars.TextColumn(count),
            bars.TextColumn("{task.fields[note]}", markup=False),
            bars.TimeElapsedColumn(),
        )
        self._bars = bars.Progress(*columns, console=console, transient=True)
        self._task = self._bars.add_task(shown(self._text), total=self._total, note="")
        return self._bars

    def step(self, text: str) -> None:
        """What is done from now on: the end of a long text."""
        self._bars.update(self._task, description=shown(text)[-48:])

    def done(self, count: int, note: str = "") -> None:
        """So many are done by now."""
        self._bars.update(self._task, completed=count, note=shown(note))

    def more(self, count: int = 1, note: str = "") -> None:
        """So many more are done."""
        self._bars.update(self._task, advance=count, note=shown(note))

    def over(self, items: Iterable[_T]) -> Iterator[_T]:
        """The items, each counted when the next is asked for."""
        with self:
            for item in items:
                yield item
                self.more()

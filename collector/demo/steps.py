"""One line for each step of the demo: a tick, what was done, how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


class Steps:
    """Prints the steps, with a spinner on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self._begun

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Run one step; texts added to the yielded list are printed after its name."""
        details: list[str] = []
        begun = time.monotonic()
        try:
            with self.console.status(name):
                yield details
        except BaseException:
            self._line("✗", "bold red", name, details, begun)
            raise
        self._line("✓", "bold green", name, details, begun)

    def _line(self, mark: str, style: str, name: str, details: list[str], begun: float) -> None:
        text = Text.assemble((mark, style), " ", name)
        if details:
            text.append("：" if _wide(name) else ": ")
            text.append("，".join(details) if _wide(name) else ", ".join(details))
        text.append(f"  {time.monotonic() - begun:.1f} s", "dim")
        self.console.print(text, soft_wrap=True)


def _wide(text: str) -> bool:
    """Whether the text is Chinese, which has wide punctuation."""
    return any(ord(letter) > 0x2E7F for letter in text)

"""What a long command says while it works."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from rich.console import Console

from collector.commands.progress import Bar, Progress


class Told(io.StringIO):
    """A stream that knows when a text has been written to it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text, self.seen = text, threading.Event()

    def write(self, part: str) -> int:
        count = super().write(part)
        if self._text in self.getvalue():
            self.seen.set()
        return count


def test_on_a_terminal_it_says_what_it_does() -> None:
    out = Told("xlsx")
    with Progress(Console(file=out, force_terminal=True), after_s=0.0) as progress:
        progress.step("西宁市: xlsx")
        assert out.seen.wait(60)


def test_where_the_number_of_steps_is_known_each_says_which_it_is() -> None:
    out = Told("2/3 b")
    with Progress(Console(file=out, force_terminal=True), after_s=0.0, steps=3) as progress:
        progress.step("a")
        progress.step("b")
        assert out.seen.wait(60)


def test_what_is_done_at_once_says_nothing() -> None:
    out = io.StringIO()
    with Progress(Console(file=out, force_terminal=True), after_s=3600) as progress:
        progress.step("xlsx")
    assert "xlsx" not in out.getvalue()


def test_nothing_where_it_is_no_terminal() -> None:
    out = io.StringIO()
    with Progress(Console(file=out), after_s=0.0) as progress:
        progress.step("xlsx")
    assert out.getvalue() == ""


def test_it_ends_with_the_command(monkeypatch: Any) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True)
    with pytest.raises(KeyboardInterrupt), Progress(console, after_s=0.0):
        raise KeyboardInterrupt
    assert not [each for each in threading.enumerate() if isinstance(each, threading.Timer)]


def test_a_bar_says_what_is_done_of_how_many() -> None:
    out = Told("2/3")
    with Bar("bundles", 3, Console(file=out, force_terminal=True, width=100), 0.0) as bar:
        bar.more(note="[b]one[/b]")
        bar.done(2, "[b]two[/b]")
        assert out.seen.wait(60)
    assert "bundles" in out.getvalue()
    assert "[b]two[/b]" in out.getvalue()  # no markup


def test_a_bar_of_unknown_length_counts() -> None:
    out = Told("12,000")
    with Bar(console=Console(file=out, force_terminal=True, width=100), after_s=0.0) as bar:
        bar.step("x" * 100)
        bar.more(12_000)
        assert out.seen.wait(60)
    assert "x" * 48 in out.getvalue()
    assert "x" * 49 not in out.getvalue()


@pytest.mark.parametrize(("terminal", "after_s"), [(False, 0.0), (True, 3600.0)])
def test_a_bar_of_what_is_done_at_once_or_of_no_terminal_says_nothing(
    terminal: bool, after_s: float
) -> None:
    out = io.StringIO()
    bar = Bar("bundles", 3, Console(file=out, force_terminal=terminal), after_s)
    assert list(bar.over("abc")) == ["a", "b", "c"]
    assert out.getvalue() == ""

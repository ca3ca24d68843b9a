"""A progress bar for work in a few named stages, on standard error while that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def stages(count: int) -> Iterator[Callable[[str], None]]:
    """Within the block: call what is given with a stage's name when it begins, `count` times."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=count)
        begun = 0

        def begin(name: str) -> None:
            nonlocal begun
            bar.update(task, description=name, completed=begun, refresh=True)
            begun += 1

        yield begin

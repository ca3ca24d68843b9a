"""What a check of sheets finds: where, what is wrong, and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agent.common.language import say


class UnfitError(ValueError):
    """A cell that cannot be used as it is: what is wrong, and the fix."""

    def __init__(self, wrong: str, fix: str) -> None:
        super().__init__(wrong)
        self.wrong, self.fix = wrong, fix


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `row` is the spreadsheet's row number; None: the whole file."""

    file: str
    wrong: str
    fix: str
    row: int | None = None
    column: str = ""  # the heading, as the file has it
    value: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return self.text([] if self.row is None else [self.row])

    def text(self, rows: Sequence[int]) -> str:
        """The finding in words, for all the rows that have it."""
        where = [self.file]
        if rows:
            runs = say("、", ", ").join(_runs(sorted(rows)))
            where.append(say(f"第 {runs} 行", f"row{'s' * (len(rows) > 1)} {runs}"))
        if self.column:
            where.append(say(f"「{self.column}」列", f"column {self.column!r}"))
        value = say(f"「{_short(self.value)}」", f"{_short(self.value)!r} ") if self.value else ""
        fix = say(f"。办法：{self.fix}", f". Fix: {self.fix}") if self.fix else ""
        # The name of a sheet ends in a comma where a row follows.
        return f"{' '.join(where).rstrip(',')}: {value}{self.wrong}{fix}"


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Problems that stop an import."""
    return [problem for problem in problems if not problem.warning]


def warnings(problems: Iterable[Problem]) -> list[Problem]:
    """Problems that do not stop an import."""
    return [problem for problem in problems if problem.warning]


def lines(problems: Iterable[Problem]) -> list[str]:
    """A line for each finding; one that many rows share is one line with all their numbers."""
    rows: dict[Problem, list[int]] = {}
    for problem in problems:
        found = rows.setdefault(replace(problem, row=None), [])
        found += [] if problem.row is None else [problem.row]
    return [problem.text(found) for problem, found in rows.items()]


def _runs(rows: Sequence[int]) -> Iterator[str]:
    """2, 3, 4, 9 is `2–4`, `9`."""
    first = 0
    for at, row in enumerate(rows):
        if at + 1 == len(rows) or rows[at + 1] > row + 1:
            yield str(row) if rows[first] == row else f"{rows[first]}–{row}"
            first = at + 1


def _short(text: str, limit: int = 60) -> str:
    """The start of a cell, printable: one with a whole file in it must not flood the terminal."""
    shown = "".join(c if c.isprintable() else "�" for c in text[:limit])
    return shown if len(text) <= limit else shown + "…"

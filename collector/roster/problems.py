"""What a check finds: where, what is wrong, and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.wire.lang import say


class UnfitError(ValueError):
    """A cell that cannot be taken as it stands."""

    def __init__(self, wrong: str, mend: str) -> None:
        super().__init__(wrong)
        self.wrong, self.mend = wrong, mend


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `row` is the spreadsheet's own row number; None: the whole file."""

    file: str
    wrong: str
    mend: str
    row: int | None = None
    column: str = ""  # the heading, as the file has it
    value: str = ""
    warning: bool = False

    def __str__(self) -> str:
        where = [self.file]
        if self.row is not None:
            where.append(say(f"第 {self.row} 行", f"row {self.row}"))
        if self.column:
            where.append(say(f"「{self.column}」列", f"column {self.column!r}"))
        value = say(f"「{_short(self.value)}」", f"{_short(self.value)!r} ") if self.value else ""
        mend = say(f"。办法：{self.mend}", f". Mend: {self.mend}") if self.mend else ""
        return f"{' '.join(where)}: {value}{self.wrong}{mend}"


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that forbid an import."""
    return [problem for problem in problems if not problem.warning]


def warnings(problems: Iterable[Problem]) -> list[Problem]:
    """Those that forbid nothing."""
    return [problem for problem in problems if problem.warning]


def _short(text: str, limit: int = 60) -> str:
    """A cell that swallowed a file must not flood the terminal."""
    shown = "".join(c if c.isprintable() else "�" for c in text[:limit])
    return shown if len(text) <= limit else shown + "…"

"""What an import, an undo or a comparison changes, in words and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.common.language import say
from agent.common.printable import shown
from collector.commands.tables import console, new_table
from collector.roster.rows import Rows
from collector.roster.sheets import SHEETS, Change, Edit, difference
from collector.roster.sheets.difference import KEYS, key_of
from collector.roster.sheets.layout import Sheet
from collector.roster.sheets.writing import cell_text

SOME = 20  # rows that are named of each sheet, where not all are asked for


@dataclass(frozen=True)
class Changes:
    """Two states of the register."""

    before: Rows
    after: Rows

    @cached_property
    def sheets(self) -> Mapping[str, Change]:
        """Their difference by sheet."""
        return difference(self.before, self.after)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The name of each school; the later one where it changes."""
        return {row.code: row.name for row in (*self.before.schools, *self.after.schools)}


def show(changes: Changes, limit: int | None = SOME) -> None:
    """A table of counts, then the rows: removed, changed, added. None: all of them; 0: no row."""
    titles = (("表", "sheet"), ("行数", "rows"), ("新增", "added"), ("删除", "removed"))
    table = new_table(*titles, ("改动", "changed"))
    counts = changes.after.counts()
    for name, change in changes.sheets.items():
        sizes = map(str, change.sizes().values())
        table.add_row(SHEETS[name].title, str(counts[name]), *sizes)
    console().print(table)
    for line in lines(changes, limit) if limit != 0 else ():
        print(shown(line, None))


def lines(changes: Changes, limit: int | None = SOME) -> Iterator[str]:
    """Each row that is removed, changed or added; of each sheet `limit` at most, and the rest
    counted. Rows of a school that comes or goes are counted with it."""
    yield from _group(changes, "removed", say("删除", "removed"), limit)
    for name, change in changes.sheets.items():
        found = (_edit(changes, SHEETS[name], edit) for edit in change.changed)
        yield from _some(say("改动", "changed"), SHEETS[name], found, len(change.changed), limit)
    yield from _group(changes, "added", say("新增", "added"), limit)


def as_json(changes: Changes) -> dict[str, object]:
    """Counts by sheet, the keys of removed and added rows, and changed ones field by field."""
    return {
        "changes": {name: change.sizes() for name, change in changes.sheets.items()},
        "rows": {
            name: {
                "removed": [key_of(name, row) for row in change.removed],
                "changed": [
                    {"key": key_of(name, one.row), "fields": one.fields} for one in change.changed
                ],
                "added": [key_of(name, row) for row in change.added],
            }
            for name, change in changes.sheets.items()
            if change
        },
    }


def _group(changes: Changes, kind: str, word: str, limit: int | None) -> Iterator[str]:
    rows: dict[str, Sequence[Any]] = {
        name: getattr(change, kind) for name, change in changes.sheets.items()
    }
    whole = {school.code for school in rows["schools"]}
    beside = Counter(
        (row.school, name) for name, found in rows.items() if name not in ("schools", "calendar")
        for row in found
    )  # fmt: skip
    for name, found in rows.items():
        own = [row for row in found if getattr(row, "school", None) not in whole]
        named = (_named(changes, SHEETS[name], row, beside) for row in own)
        yield from _some(word, SHEETS[name], named, len(own), limit)


def _some(
    word: str, sheet: Sheet, named: Iterable[str], count: int, limit: int | None
) -> Iterator[str]:
    for number, text in enumerate(named):
        if number == limit:
            more = count - number
            yield say(
                f"  {word} {sheet.title}：还有 {more} 行，用 --dry-run 或 roster diff 全部列出",
                f"  {word} {sheet.title}: {more} more; --dry-run or roster diff lists all",
            )
            return
        yield f"  {word} {sheet.title}{say('：', ': ')}{text}"


def _named(changes: Changes, sheet: Sheet, row: Any, beside: Mapping[tuple[str, str], int]) -> str:
    text = _name(changes, sheet, row)
    if sheet.name != "schools":
        return text
    counted = [
        f"{other.title} {beside[row.code, other.name]}"
        for other in SHEETS.values()
        if beside.get((row.code, other.name))
    ]
    listed = say("，", ", ").join(counted)
    return text + (say(f"（连同 {listed}）", f" (with {listed})") if counted else "")


def _name(changes: Changes, sheet: Sheet, row: Any) -> str:
    """A row by its key, and a school by its name too."""
    if sheet.name == "schools":
        return f"{row.code} {row.name}"
    shown = [
        cell_text(column, getattr(row, column.attribute), {})
        for column in sheet.columns
        if column.attribute in KEYS[sheet.name] and column.attribute != "school"
    ]
    own = " ".join(filter(None, shown))
    return (
        own
        if sheet.name == "calendar"
        else f"{row.school} {changes.names.get(row.school, '')} · {own}"
    )


def _edit(changes: Changes, sheet: Sheet, edit: Edit) -> str:
    said = (_field(changes, sheet, name, pair) for name, pair in edit.fields.items())
    return f"{_name(changes, sheet, edit.row)}{say('：', ': ')}{say('；', '; ').join(said)}"


def _field(changes: Changes, sheet: Sheet, name: str, pair: tuple[Any, Any]) -> str:
    column = next((one for one in sheet.columns if one.attribute == name), None)
    areas = {**changes.before.areas, **changes.after.areas}
    if column is None:
        shown, heading = [str(value) for value in pair], name
    else:
        shown, heading = [cell_text(column, value, areas) for value in pair], column.heading
    old, new = (text or say("（空）", "(empty)") for text in shown)
    return f"{heading} {old} → {new}"

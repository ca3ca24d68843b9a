"""What a filled form would change in the book, and what has changed since it was made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.common.language import say
from collector.roster.forms.reading import Filled
from collector.roster.problems import Problem
from collector.roster.register import Inspection
from collector.roster.rows import Rows

_MANY = 10
_Key = tuple[object, ...]


@dataclass(slots=True)
class Comparison:
    """Records that are new, that say something else than a recorded one, and that are known."""

    new: list[Inspection] = field(default_factory=list)
    changed: list[tuple[Inspection, Inspection]] = field(default_factory=list)  # (old, new)
    known: int = 0

    def rows(self) -> list[Inspection]:
        """What is to be stored: the changed ones replace the recorded."""
        return [*self.new, *(replace(new, replaces=old.id) for old, new in self.changed)]


def compare(rows: Iterable[Inspection], recorded: Iterable[Inspection]) -> Comparison:
    """The same person's record of the same unit on the same day is the same record."""
    known: dict[_Key, list[Inspection]] = {}
    for row in recorded:
        if not row.void:
            known.setdefault(_key(row), []).append(row)
    found = Comparison()
    seen: set[_Key] = set()
    for row in rows:
        if _key(row) in seen:  # told by the reader: the same answer twice
            continue
        seen.add(_key(row))
        others = known.get(_key(row), [])
        if any((one.found, one.note) == (row.found, row.note) for one in others):
            found.known += 1
        elif others:
            found.changed.append((others[-1], row))
        else:
            found.new.append(row)
    return found


def _key(row: Inspection) -> _Key:
    return (row.school, row.indicator, row.threshold_mbps, row.unit, row.day, row.inspector)


def older(
    file: str, filled: Filled, then: Mapping[int, Rows], now: Rows, newest: int
) -> Iterator[Problem]:
    """What the register says otherwise than when the form was made; `then` are rows by import."""
    for school, number in filled.made_from.items():
        if number > newest:
            wrong = say(
                f"表号说它按第 {number} 次导入做，而这里只有 {newest} 次：是另一份台账的表",
                f"was made from import {number}, and there are {newest}: of another register",
            )
            yield Problem(file, wrong, say("重新出表", "make the form anew"))
        elif number in then and _classes(then[number], school) != _classes(now, school):
            yield _changed(file, school, number, then[number], now)


def _classes(rows: Rows, school: str) -> set[str]:
    return {row.name for row in rows.classes if row.school == school}


def _changed(file: str, school: str, number: int, then: Rows, now: Rows) -> Problem:
    more = _classes(now, school) - _classes(then, school)
    gone = _classes(then, school) - _classes(now, school)
    told = [
        say(f"多了 {_listed(more)}", f"new: {_listed(more)}") if more else "",
        say(f"少了 {_listed(gone)}", f"gone: {_listed(gone)}") if gone else "",
    ]
    listed = say("，", "; ").join(filter(None, told))
    wrong = say(
        f"是按第 {number} 次导入做的，此后这所学校的班级变了：{listed}",
        f"was made from import {number}; the school's classes have changed since: {listed}",
    )
    return Problem(file, wrong, "", warning=True)


def _listed(names: Iterable[str]) -> str:
    ordered: Sequence[str] = sorted(names)
    shown = say("、", ", ").join(ordered[:_MANY])
    rest = len(ordered) - _MANY
    return shown + (say(f" 等 {len(ordered)} 个", f" and {rest} more") if rest > 0 else "")

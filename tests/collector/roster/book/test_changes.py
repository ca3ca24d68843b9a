"""Generated sequences of imports, part imports and undos: the history always gives each state."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collector.roster.book import RegisterBook
from collector.roster.register import Campus, Line, Room, School, SchoolClass
from collector.roster.rows import Rows
from collector.roster.sheets import SHEETS, Excerpt, difference, errors, read_folder, write_folder
from collector.roster.sheets.difference import key_of

CODES = tuple(f"996300000{number}" for number in range(4))
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@st.composite
def registers(draw: st.DrawFn) -> Rows:
    """Up to four schools, each with a campus, a line, rooms and classes taught in them."""
    codes = draw(st.lists(st.sampled_from(CODES), unique=True, min_size=1))
    parts: dict[str, list[object]] = {name: [] for name in SHEETS}
    for code in codes:
        name = draw(st.sampled_from(("示例一", "示例二", "示例三")))
        rate = draw(st.sampled_from((None, 10.0, 100.0)))
        rooms = draw(st.lists(st.sampled_from(("101", "102", "103")), unique=True))
        parts["schools"].append(School(code, name, "630102", "小学", "630102"))
        parts["campuses"].append(Campus(code, "本部"))
        parts["lines"].append(Line(code, "a", "本部", rate))
        parts["rooms"] += [Room(code, "本部", room, room, "普通教室", None, "a") for room in rooms]
        for number in draw(st.sets(st.integers(1, 4))) if rooms else ():
            taught = draw(st.lists(st.sampled_from(rooms), unique=True))
            parts["classes"].append(SchoolClass(code, f"{number}班", tuple(taught)))
    return Rows(**{name: tuple(rows) for name, rows in parts.items()})  # type: ignore[arg-type]


def of_schools(rows: Rows, codes: set[str], *, inside: bool) -> dict[str, set[object]]:
    """The rows of these schools, or of all others, by sheet."""
    return {
        name: {row for row in getattr(rows, name) if (key_of(name, row)[0] in codes) == inside}
        for name in SHEETS
        if name != "calendar"
    }


class History(RuleBasedStateMachine):
    """The book beside a list of the states that it should have been in."""

    @initialize(first=registers())
    def begin(self, first: Rows) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.book = RegisterBook(Path(self.folder.name) / "register.db")
        self.states: list[Rows] = []
        self.put(first)

    def now(self) -> dt.datetime:
        return START + dt.timedelta(days=len(self.states))

    def put(self, rows: Rows, part: dict[str, list[str]] | None = None) -> None:
        made = self.book.import_rows(rows, part=part, after=len(self.states), now=self.now())
        self.states.append(rows)
        assert made.number == len(self.states)

    def written(self, rows: Rows, count: int) -> Path:
        folder = Path(self.folder.name) / f"sheets{count}"
        write_folder(rows, folder)
        return folder

    @rule(rows=registers())
    def whole(self, rows: Rows) -> None:
        self.put(rows)

    @rule(rows=registers(), data=st.data())
    def some_schools(self, rows: Rows, data: st.DataObject) -> None:
        codes = {school.code for school in rows.schools}
        chosen = data.draw(st.sets(st.sampled_from(sorted(codes)), min_size=1))
        before = self.states[-1]
        sheets = self.written(rows, len(self.states))
        after, problems = read_folder(sheets, Excerpt(before, frozenset(chosen)))
        assert not errors(problems)
        assert of_schools(after, chosen, inside=True) == of_schools(rows, chosen, inside=True)
        assert of_schools(after, chosen, inside=False) == of_schools(before, chosen, inside=False)
        assert after.calendar == before.calendar
        self.put(after, {"schools": sorted(chosen)})

    @rule(rate=st.sampled_from((5.0, 50.0)))
    def one_sheet(self, rate: float) -> None:
        before = self.states[-1]
        lines = tuple(dataclasses.replace(row, contract_mbps=rate) for row in before.lines)
        expected = dataclasses.replace(before, lines=lines)
        sheets = self.written(expected, len(self.states))
        for name in SHEETS:  # whatever else the folder says is not taken
            if name not in ("lines", "schools"):
                with (sheets / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                    csv.writer(file).writerow(["坏"])
        after, problems = read_folder(sheets, Excerpt(before, sheets=frozenset({"lines"})))
        assert not errors(problems)
        assert after == expected
        self.put(after, {"sheets": ["lines"]})

    @precondition(lambda self: len(self.states) > 1)
    @rule()
    def undo(self) -> None:
        self.restore(len(self.states) - 1)

    @rule(data=st.data())
    def undo_to(self, data: st.DataObject) -> None:
        self.restore(data.draw(st.integers(1, len(self.states))))

    def restore(self, number: int) -> None:
        made = self.book.restore(number, after=len(self.states), now=self.now())
        assert made.restores == number
        self.states.append(self.states[number - 1])

    @invariant()
    def every_state_is_there(self) -> None:
        if not hasattr(self, "states"):
            return
        assert self.book.rows() == self.states[-1]
        assert [made.number for made in self.book.history()] == [
            *range(1, len(self.states) + 1)
        ]  # fmt: skip
        for number, rows in enumerate(self.states, start=1):
            assert self.book.rows_of(number) == rows
            day = START + dt.timedelta(days=number - 1)
            for at in (day, day + dt.timedelta(hours=23, minutes=59)):
                assert self.book.load(at) == rows.register()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


History.TestCase.settings = settings(max_examples=25, stateful_step_count=8, deadline=None)
TestHistory = History.TestCase


@given(registers(), registers())
@settings(max_examples=100, deadline=None)
def test_a_difference_leads_from_one_state_to_the_other(before: Rows, after: Rows) -> None:
    """Rows that were removed, changed and added, applied to the old rows, are the new rows."""
    for name, change in difference(before, after).items():
        rows = list(getattr(before, name))
        for row in change.removed:
            rows.remove(row)
        for edit in change.changed:
            old = {field: pair[0] for field, pair in edit.fields.items()}
            rows.remove(dataclasses.replace(edit.row, **old))
            rows.append(edit.row)
        assert sorted([*rows, *change.added], key=repr) == sorted(getattr(after, name), key=repr)

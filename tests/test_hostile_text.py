"""Text of others in a log line, a table, a cell: what steers nothing stays as it is."""

from __future__ import annotations

import csv
import io

import pytest
from rich.cells import cell_len

import hostile_text
from agent.common import log, printable, tables
from collector.sheet_cells import cell, guarded, kept


@pytest.mark.parametrize("text", hostile_text.EVERY)
def test_a_log_line_is_one_line(text: str) -> None:
    line = log.text("event", {"name": text, "reason": ValueError(text)})
    assert len(line.splitlines()) == 1
    assert hostile_text.BAD.search(line) is None
    assert len(line) < 80_000


@pytest.mark.parametrize("text", hostile_text.EVERY)
def test_the_agents_tables(text: str) -> None:
    first, second = tables.lines([(text, "end"), ("x", "end")])
    assert hostile_text.BAD.search(first) is None
    assert cell_len(first.removesuffix("end")) == cell_len(second.removesuffix("end")) or "‍" in text


@pytest.mark.parametrize("text", hostile_text.EVERY)
def test_a_cell_of_any_text(text: str) -> None:
    for made in (cell(text), kept(text), guarded(text)):
        (back,) = next(csv.reader(io.StringIO(_csv(made))))
        assert back == made
        assert not hostile_text.runs(made)


def _csv(text: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([text])
    return out.getvalue()


@pytest.mark.parametrize("text", ["-1.5", "0", "12.25", "-3"])
def test_numbers_stay_numbers(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    "text", ["七（1）班", "བོད་ལྗོངས", "👩‍🏫 🏴‍☠️", "𠮷", "ᠠ᠋ᠯ᠎ᠠ", "Zoë’s Höhe", "می‌خواهم"]
)
def test_names_stay_as_they_are(text: str) -> None:
    assert printable.shown(text) == text
    assert printable.harmless(text)


def test_the_rest_of_an_over_long_name_is_counted() -> None:
    assert printable.shown("A" * 10_000) == "A" * 500 + "…(+9500)"
    assert printable.shown("A" * 10_000, None) == "A" * 10_000

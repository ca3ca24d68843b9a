"""What is written is read back as the same rows, in both languages, and Excel takes it."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.common import language as lang
from agent.common.command_line import RefusedError
from collector.roster.areas import XINING
from collector.roster.book import RegisterBook
from collector.roster.register import (
    CalendarRow,
    Campus,
    Equipment,
    Line,
    Machine,
    Room,
    School,
    SchoolClass,
)
from collector.roster.rows import Rows
from collector.roster.sheets import errors, read_folder, words, write_book
from collector.roster.sheets.layout import NOTES, SHEETS
from collector.roster.sheets.texts import is_destroyed, is_error, tidy
from collector.roster.sheets.writing import write_folder, write_template

_TEXT = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs")), max_size=12)
    .map(tidy)
    .filter(lambda text: text == tidy(text) and not text.startswith("="))
    .filter(lambda text: not is_destroyed(text) and not is_error(text))
)
_DAYS = st.dates(dt.date(1950, 1, 1), dt.date(2099, 12, 31))
_NAMES = st.sampled_from(
    [
        "0101",
        "一（1）班",
        "C01",
        "=2+3",
        "本部",
        "a,b",
        'say "x"',
        "-x",
        "_x0041_",
        "第3号",
        "(）",
        "1-1",
        "@a",
    ]
)
_NETWORKS = st.sampled_from(["", "192.0.2.0/24", "192.0.2.7/32, 2001:db8::/32"])
_RATES = st.none() | st.integers(0, 10**9).map(lambda n: n / 1000)


def _span(draw: st.DrawFn) -> tuple[dt.date | None, dt.date | None]:
    start, end = draw(st.none() | _DAYS), draw(st.none() | _DAYS)
    return (end, start) if start and end and end < start else (start, end)


@st.composite
def _rows(draw: st.DrawFn) -> Rows:
    code, campus, line, name = "9963020001", draw(_NAMES), draw(_NAMES), draw(_NAMES)
    room = draw(_NAMES.filter(lambda text: not set(",;") & set(text)))
    place = draw(st.booleans())
    area = draw(st.sampled_from([*(set(XINING) - {"630100"}), "310104"]))
    unit = draw(st.sampled_from([area, "630100"]))
    opened, closed = _span(draw)
    school = School(
        code, draw(_TEXT.filter(bool)), area,
        draw(st.sampled_from(sorted(set(words.SCHOOL_TYPES.values())))), unit, opened, closed,
    )  # fmt: skip
    first = draw(_DAYS)
    return Rows(
        schools=(school,),
        campuses=(
            Campus(
                code, campus, draw(_TEXT),
                round(draw(st.floats(3, 54)), 6) if place else None,
                round(draw(st.floats(73, 136)), 6) if place else None,
            ),
        ),
        lines=(Line(code, line, campus, draw(_RATES), draw(_TEXT), draw(_NETWORKS)),),
        rooms=(
            Room(
                code, campus, room, draw(_TEXT.filter(bool)),
                draw(st.sampled_from(sorted(set(words.ROOM_TYPES.values())))),
                draw(st.none() | st.integers(0, 2000)), line,
            ),
        ),
        classes=(SchoolClass(code, name, draw(st.sampled_from([(), (room,)])), *_span(draw)),),
        equipment=(
            Equipment(code, room, draw(st.sampled_from(sorted(words.KINDS_ZH))), 1, draw(_TEXT)),
        ),
        machines=(Machine(code, room, draw(st.sampled_from(["SL-*", "ab" * 16, "p?"]))),),
        calendar=(
            CalendarRow(
                first, first + dt.timedelta(days=draw(st.integers(0, 300))),
                draw(st.sampled_from(sorted(words.DAY_KINDS_ZH))), draw(_TEXT),
            ),
        ),
        areas={**XINING, **({"310104": "徐汇区"} if area == "310104" else {})},
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_rows(), st.sampled_from(["zh", "en"]))
def test_check_import_export_and_import_again_is_the_same(rows: Rows, language: lang.Lang) -> None:
    lang.choose(language)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = RegisterBook(folder / "register.db")
        write_folder(rows, folder / "first")
        imported, problems = read_folder(folder / "first")
        assert not errors(problems), "\n".join(map(str, problems))
        book.import_rows(imported, who="x", source="first", sheets={})
        write_folder(book.rows(), folder / "csv")
        write_book(folder / "book.xlsx", book.rows())
        assert read_folder(folder / "csv")[0] == rows
        assert read_folder(folder / "book.xlsx")[0] == rows


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_template_is_what_the_check_reads(tmp_path: Path, language: lang.Lang) -> None:
    lang.choose(language)
    files = write_template(tmp_path / "new" / "template")
    names = {*(sheet.file for sheet in SHEETS.values()), f"{lang.say(*NOTES)}.csv"}
    assert {file.name for file in files} == names
    for file in files:
        assert file.read_bytes().startswith(b"\xef\xbb\xbf")
        assert b"\r\n" in file.read_bytes()
    _, problems = read_folder(files[0].parent)
    assert [problem.file for problem in problems] == ["schools.csv"]  # no school yet, nothing else


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "rooms.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"rooms\.csv"):
        write_template(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rooms.csv"]


def test_excel_runs_no_cell(tmp_path: Path) -> None:
    rows = Rows(schools=(School("9963020001", "=cmd|'x'!A1", "630102", "小学", "630102"),))
    write_folder(rows, tmp_path)
    assert ",'=cmd|" in (tmp_path / "schools.csv").read_text(encoding="utf-8-sig")

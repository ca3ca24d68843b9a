"""The register's workbooks in LibreOffice: filled in, saved again, converted, and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.roster.rows import Rows
from collector.roster.sample import sample_folder
from collector.roster.sheets import errors, read_folder, write_book
from office import Office, Typed
from register_books import TITLES
from register_books import write_book as plain_book
from register_sheets import SHEETS, folder, sheets, write

__all__ = ["folder", "sheets", "write"]  # fixtures


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def sample(tmp_path: Path) -> tuple[Path, Rows]:
    """The sample as a workbook, and its rows."""
    rows, _ = read_folder(sample_folder())
    (path,) = write_book(tmp_path / "sample.xlsx", rows)
    return path, rows


def _typed(texts: dict[str, str]) -> Iterator[Typed]:
    """Every cell below the headings, by the template's order of columns."""
    for name, text in texts.items():
        for row, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
            for column, cell in enumerate(cells, start=1):
                if row > 1 and cell:
                    yield TITLES[name], row, column, cell


def test_a_template_filled_in_keeps_its_zeros(
    office: Office, tmp_path: Path, write: object
) -> None:
    texts = {name: text.replace("9963", "0063") for name, text in SHEETS.items()}
    assert callable(write)
    wanted, _ = read_folder(write(texts))
    (template,) = write_book(tmp_path / "template.xlsx")
    filled = office.fill(template, list(_typed(texts)), tmp_path / "filled.xlsx")
    rows, problems = read_folder(filled)
    assert not errors(problems), "\n".join(map(str, problems))
    assert rows == wanted
    assert rows.schools[0].code == "0063020001"
    assert rows.rooms[0].room == "0101"


def test_what_becomes_of_codes_without_the_template(office: Office, tmp_path: Path) -> None:
    """Zeros are dropped and dates made; both are told. A formula's saved value is read."""
    good = plain_book(tmp_path, SHEETS, name="good.xlsx")
    for typed, said in (
        (("学校", 2, 1, "0063020001"), "「63020001」是 8 位"),
        (("教室", 4, 3, "2026-1-1"), "原来多半是 1-1"),
        (("教室", 2, 3, "0101"), "「0101」不在「教室」表这所学校的教室里"),  # it is 101 now
    ):
        _, problems = read_folder(office.fill(good, [typed], tmp_path / "bad.xlsx"))
        assert any(said in str(p) and p.fix for p in errors(problems)), problems
    rows, problems = read_folder(office.fill(good, [("教室", 2, 6, "=40+5")], tmp_path / "f.xlsx"))
    assert rows.rooms[0].seats == 45
    assert [(p.row, p.column, p.warning) for p in problems] == [(2, "座位数", True)]


def test_saved_again_it_is_the_same(
    office: Office, tmp_path: Path, sample: tuple[Path, Rows]
) -> None:
    path, rows = sample
    (again,) = office.convert(path, "xlsx:Calc MS Excel 2007 XML", tmp_path / "out")
    assert read_folder(again)[0] == rows


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("44,34,76,1", id="UTF-8"),
        pytest.param("9,34,76,1", id="tabs"),
        pytest.param("59,34,85,1", id="semicolons, GB 18030"),
    ],
)
def test_saved_as_files_it_is_the_same(
    office: Office, tmp_path: Path, sample: tuple[Path, Rows], options: str
) -> None:
    path, rows = sample
    kind = f"csv:Text - txt - csv (StarCalc):{options},,0,false,true,false,false,false,-1"
    for file in office.convert(path, kind, tmp_path / "out"):
        file.rename(file.with_name(file.name.removeprefix("sample-")))
    found, problems = read_folder(tmp_path / "out")
    assert not errors(problems), "\n".join(map(str, problems))
    assert found == rows


def test_saved_as_latin_text_it_is_refused(
    office: Office, tmp_path: Path, sample: tuple[Path, Rows]
) -> None:
    kind = "csv:Text - txt - csv (StarCalc):44,34,1,1,,0,false,true,false,false,false,-1"
    for file in office.convert(sample[0], kind, tmp_path / "out"):
        file.rename(file.with_name(file.name.removeprefix("sample-")))
    rows, problems = read_folder(tmp_path / "out")
    assert rows == Rows()
    assert [p.file for p in errors(problems) if "丢了的字" in p.wrong and p.fix][:1] == ["学校.csv"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ods", "别的表格格式"),
        ("xls:MS Excel 97", "旧格式"),
        ("xls:HTML (StarCalc)", "网页"),
    ],
)
def test_other_formats_are_refused_with_the_fix(
    office: Office, tmp_path: Path, sample: tuple[Path, Rows], kind: str, said: str
) -> None:
    (path,) = office.convert(sample[0], kind, tmp_path / "out")
    rows, problems = read_folder(path)
    assert rows == Rows()
    (found,) = errors(problems)
    assert said in found.wrong
    assert ".xlsx" in found.fix

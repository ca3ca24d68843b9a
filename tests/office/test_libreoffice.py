"""The report's files in LibreOffice: opened, saved as something else, and compared."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from collector import report
from office_files import book, document, words
from report_cases import ODD_NAMES, almost, odd, with_past

#: UTF-8, comma, every sheet as a file of its own, cells as they are shown.
_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def sheet(files: list[Path], name: str) -> list[list[str]]:
    (path,) = [path for path in files if path.stem.endswith(f"-{name}")]
    return list(csv.reader(path.read_text("utf-8").splitlines()))


def test_a_share_is_read_as_it_is_shown(town: Any, convert: Any) -> None:
    files = convert("r.xlsx", report.render(almost(town.figure()), "xlsx"), _CSV)
    line = next(line for line in sheet(files, "汇总") if line[0].startswith("10M"))
    assert line[2] == "79.9"


def test_names_and_codes_are_read_as_they_are(town: Any, convert: Any) -> None:
    town.school("0012345678")
    files = convert("r.xlsx", report.render(odd(town), "xlsx"), _CSV)
    names = [line[3] for line in sheet(files, "班级")]
    for name in ODD_NAMES:
        if name.isprintable():
            assert name in names, name
    assert "0012345678" in [line[1] for line in sheet(files, "学校")]


def test_the_workbook_comes_back_whole(town: Any, convert: Any) -> None:
    """What must be repaired loses sheets, rows or filters on the way."""
    figure = town.figure()
    data = report.render(figure, "xlsx", with_past(figure))
    (path,) = convert("r.xlsx", data, "xlsx:Calc MS Excel 2007 XML")
    ours, theirs = book(data), book(path.read_bytes())
    assert theirs.sheetnames == ours.sheetnames
    for name in ours.sheetnames:
        assert _values(theirs[name]) == _values(ours[name]), name
        assert theirs[name].auto_filter.ref == ours[name].auto_filter.ref
        assert theirs[name].page_setup.orientation == "landscape"


def _values(read: Any) -> list[tuple[str, ...]]:
    rows = [tuple("" if cell is None else str(cell) for cell in row) for row in read.values]
    return [row for row in rows if any(row)]


def test_the_document_comes_back_whole(town: Any, convert: Any) -> None:
    figure = town.figure()
    data = report.render(figure, "docx", with_past(figure))
    (path,) = convert("r.docx", data, "docx:MS Word 2007 XML")
    ours, theirs = document(data), document(path.read_bytes())
    for style in ("Title", "Heading 1", "Heading 2"):
        heads = [p.text for p in ours.paragraphs if p.style.name == style]
        assert [p.text for p in theirs.paragraphs if p.style.name == style] == heads
    assert len(theirs.tables) == len(ours.tables)
    assert words(path.read_bytes()).split() == words(data).split()


@pytest.mark.parametrize("name", ["docx", "xlsx"])
def test_its_pages(town: Any, convert: Any, name: str) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    town.saw("103", (1,), simulated=True)
    (path,) = convert(f"r.{name}", report.render(almost(town.figure()), name), "pdf")
    shown = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, timeout=60
    ).stdout.decode()
    pages = shown.rstrip("\f\n ").split("\f")
    assert len(pages) >= 3
    assert all("模拟数据" in page for page in pages)
    assert "79.9" in shown
    numbered = "—2—" if name == "docx" else "第2页"
    assert numbered in "".join(pages[1].split())

"""What stands in the report's files, read by others than those who wrote them."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pypdf


def everything(path: Path) -> str:
    """All text of a file: of all members where it is a zip."""
    data = path.read_bytes()
    if data.startswith(b"%PDF"):
        return "".join(pages(data))
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return "".join(source.read(name).decode("utf-8", "replace") for name in source.namelist())


def book(data: bytes) -> Any:
    """An xlsx as openpyxl reads it."""
    return openpyxl.load_workbook(io.BytesIO(data))


def rows(sheet: Any, head: str) -> list[dict[str, Any]]:
    """A sheet's rows by heading; its head is the first row that begins with `head`."""
    lines = list(sheet.values)
    at = next(place for place, line in enumerate(lines) if line[0] == head)
    names = [str(name) for name in lines[at] if name is not None]
    return [dict(zip(names, line, strict=False)) for line in lines[at + 1 :]]


def document(data: bytes) -> Any:
    """A docx as python-docx reads it."""
    return docx.Document(io.BytesIO(data))


def words(data: bytes) -> str:
    """All text of a docx, of its tables too."""
    found = document(data)
    cells = (cell.text for table in found.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(paragraph.text for paragraph in found.paragraphs), *cells])


def pages(data: bytes) -> list[str]:
    """The text of each page of a pdf, without its line breaks and spaces."""
    return [
        "".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages
    ]


def sheets(data: bytes) -> dict[str, list[list[str]]]:
    """The files of a csv.zip, as Excel reads them: by the mark at their beginning."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        found = {name: source.read(name) for name in source.namelist() if name.endswith(".csv")}
    assert all(content.startswith(b"\xef\xbb\xbf") for content in found.values())
    return {
        name.removesuffix(".csv"): list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        for name, content in found.items()
    }

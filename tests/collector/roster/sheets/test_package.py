"""Files that are no workbook, or a hostile or damaged one: a clear error with the fix, no crash."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.roster.rows import Rows
from collector.roster.sheets import errors, package, read_folder
from collector.roster.sheets.workbook import _TEXTS
from register_books import write_book

Sheets = dict[str, str]
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512
_FIRST = 't="inlineStr"><is><t>学校标识码</t></is></c>'.encode()
_BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
_OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.fixture
def book(tmp_path: Path, sheets: Sheets) -> Path:
    return write_book(tmp_path / "book", sheets)


def _changed(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """The workbook with one part changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), part}:
            data = old.read(name) if name in old.namelist() else b"<sst/>"
            new.writestr(name, change(_plain(data)) if name == part else data)
    path.write_bytes(target.getvalue())


def _plain(data: bytes) -> bytes:
    """The part as UTF-8: lxml, where it is installed, writes Chinese as numbers."""
    return re.sub(rb"&#(\d{3,});", lambda found: chr(int(found[1])).encode(), data)


def _refused(path: Path, said: str) -> None:
    rows, problems = read_folder(path)
    assert rows == Rows()
    found = [problem for problem in errors(problems) if said in problem.wrong]
    assert found, "\n".join(map(str, problems))
    assert all(problem.file.startswith(path.name) and problem.fix for problem in found)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.xls", _OLE, "旧格式"),
        ("a.xlsx", _OLE, "旧格式"),
        ("a.csv", _OLE, "旧格式"),
        ("a.et", _OLE, "旧格式"),
        ("a.xlsx", _OLE + "EncryptedPackage".encode("utf-16-le"), "打开密码"),
        ("a.xls", b"<html><body><table><tr><td>1</td></tr></table>", "网页"),
        ("a.xlsx", b"\xef\xbb\xbf\n<!DOCTYPE html>", "网页"),
        ("a.xls", b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "XML"),
        ("a.xlsx", "学校标识码,学校名称\n".encode("gbk"), "像是文本"),
        ("a.xlsx", b"", "像是文本"),
        ("a.xlsx", b"PK\x03\x04....", "损坏"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    if path.suffix == ".csv":
        path = path.rename(tmp_path / "schools.csv")
    _refused(path, said)


def test_a_workbook_named_csv(tmp_path: Path, book: Path) -> None:
    path = book.rename(tmp_path / "schools.csv")
    _refused(path, "工作簿")
    assert any(".xlsx" in problem.fix for problem in errors(read_folder(path)[1]))


@pytest.mark.parametrize("part", ["worksheets/sheet1.xml", "sharedStrings.xml", "styles.xml"])
@pytest.mark.parametrize("doctype", [_BOMB, _OUTSIDE])
def test_entities_are_refused_before_they_are_expanded(
    book: Path, part: str, doctype: bytes
) -> None:
    prolog = b"<!--" + b" " * 100_000 + b"-->" + doctype
    _changed(book, f"xl/{part}", lambda data: prolog + data)
    _refused(book, "外部实体")


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet2.xml"])
def test_a_bomb_is_refused_before_it_is_unpacked(
    book: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "MAX_PART", 100_000)
    monkeypatch.setattr(package, "MAX_SHEET", 200_000)
    assert not errors(read_folder(book)[1])
    _changed(book, part, lambda data: data + b" " * 1_000_000)
    assert book.stat().st_size < 100_000
    _refused(book, "大得不合理")


def test_a_part_that_lies_about_its_size(book: Path) -> None:
    """Nothing is read beyond the size that was checked."""
    with zipfile.ZipFile(book) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(book.read_bytes())
    directory = data.rindex(b"xl/worksheets/sheet1.xml") - 46
    data[directory + 24 : directory + 28] = (sheet.file_size // 2).to_bytes(4, "little")
    book.write_bytes(data)
    _refused(book, "损坏")


def test_too_many_parts(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_PARTS", 5)
    _refused(book, "大得不合理")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b""),
        ("xl/worksheets/sheet1.xml", _FIRST, b't="s"><v>999999</v></c>'),
        ("xl/worksheets/sheet1.xml", _FIRST, b't="s"><v>x</v></c>'),
        ("xl/worksheets/sheet1.xml", _FIRST, b"><v>x</v></c>"),
        ("xl/worksheets/sheet1.xml", b'r="A1"', b'r="??"'),
        ("xl/worksheets/sheet1.xml", b'r="B1"', b'r="XFD1"'),
        ("xl/workbook.xml", b"<sheets>", b"<sheets><sheets>"),
        ("xl/styles.xml", b"<styleSheet", b"<nothing"),
        ("[Content_Types].xml", b"<Types", b"<Typ"),
    ],
)
def test_a_damaged_part(book: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(book) as archive:
        assert old in _plain(archive.read(part))
    _changed(book, part, lambda data: data.replace(old, new, 1))
    rows, problems = read_folder(book)
    assert rows == Rows()
    assert any(p.fix and p.file.startswith(book.name) for p in errors(problems))


@pytest.mark.parametrize("seed", range(60))
def test_bytes_that_went_wrong_never_raise(book: Path, sheets: Sheets, seed: int) -> None:
    """Cut off or flipped anywhere: an error, or the rows as they were."""
    good = read_folder(book)[0]
    rng = random.Random(seed)
    data = bytearray(book.read_bytes())
    if seed % 3 == 0:
        del data[rng.randrange(len(data)) :]
    else:
        for _ in range(rng.choice((1, 5, 50))):
            data[rng.randrange(len(data))] = rng.randrange(256)
    book.write_bytes(data)
    rows, problems = read_folder(book)
    assert rows in (Rows(), good)
    assert (rows == Rows()) == bool(errors(problems))


def test_an_older_form_without_references(book: Path) -> None:
    """Rows and cells need not say their places, and texts may stand in their cells."""
    wanted = read_folder(book)[0]

    def bare(data: bytes) -> bytes:
        for row in range(1, 9):
            data = data.replace(f'<row r="{row}"'.encode(), b"<row")
            for letter in "ABCDEFGH":
                data = data.replace(f' r="{letter}{row}"'.encode(), b"")
        return data

    _changed(book, "xl/worksheets/sheet7.xml", bare)
    assert read_folder(book)[0] == wanted


def test_texts_of_several_runs_with_their_pronunciation(book: Path) -> None:
    wanted = read_folder(book)[0]
    plain = "<is><t>城东区示例小学</t></is>".encode()
    runs = "<r><t>城东区</t></r><r><t xml:space='preserve'>示例小学</t></r>"
    rich = f"<is>{runs}<rPh sb='0' eb='1'><t>x</t></rPh></is>".encode()
    _changed(book, "xl/worksheets/sheet1.xml", lambda data: data.replace(plain, rich))
    with zipfile.ZipFile(book) as archive:
        assert rich in archive.read("xl/worksheets/sheet1.xml")
    assert read_folder(book)[0] == wanted


def test_a_table_of_texts(book: Path) -> None:
    """As Excel writes them: cells name an entry, which may consist of runs."""
    wanted = read_folder(book)[0]
    entry = "<si><r><t>学校</t></r><r><t>标识码</t></r><rPh sb='0' eb='1'><t>x</t></rPh></si>"
    texts = f"<sst xmlns='http://x'><si><t>a_x005F_x0041_</t></si>{entry}</sst>".encode()
    _changed(book, "xl/sharedStrings.xml", lambda _: texts)
    listed = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TEXTS}"/></Types>'
    _changed(book, "[Content_Types].xml", lambda data: data.replace(b"</Types>", listed.encode()))
    first = b't="s"><v>1</v></c>'
    _changed(book, "xl/worksheets/sheet1.xml", lambda data: data.replace(_FIRST, first))
    assert read_folder(book)[0] == wanted
    name = "<is><t>城东区示例小学</t></is>".encode()
    _changed(
        book,
        "xl/worksheets/sheet1.xml",
        lambda data: data.replace(b't="inlineStr">' + name, b't="s"><v>0</v>'),
    )
    assert read_folder(book)[0].schools[0].name == "a_x0041_"

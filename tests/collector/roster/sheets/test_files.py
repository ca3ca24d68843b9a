"""Files that are no sheet, torn, doubled, missing or of another encoding: named, with the fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collector.roster.rows import Rows
from collector.roster.sheets import errors, read_folder, warnings
from collector.roster.sheets.encoding import decode

from .conftest import only

Write = Callable[[dict[str, str]], Path]
TORN = "学校标识码,学校名称\n9963020001,示例".encode()[:-1]
FILES = [
    pytest.param(TORN, "损坏", id="torn UTF-8"),
    pytest.param("学校标识码\n".encode("gbk") + b"\x81\xff", "GBK", id="torn GBK"),
    pytest.param(b"\xff\xfea\x00", "UTF-16", id="UTF-16"),
    pytest.param(b"\xff\xff\xff", "UTF-8", id="no encoding"),
    pytest.param(b"PK\x03\x04....", "工作簿", id="XLSX"),
    pytest.param(b"\xd0\xcf\x11\xe0....", "工作簿", id="XLS"),
    pytest.param(b"", "空文件", id="empty"),
    pytest.param(b" \r\n\r\n", "空文件", id="blank"),
    pytest.param(b",,,\n,,\n", "空", id="only commas"),
    pytest.param("学校标识码\n1\0".encode(), "NUL", id="NUL"),
    pytest.param('学校标识码\n"1"2\n'.encode(), "引号", id="wrong quote"),
    pytest.param('学校标识码\n"1\n2\n'.encode(), "没有配对", id="open quote"),
    pytest.param(('学校标识码\n"' + "1\n" * 100_000).encode(), "没有配对", id="long open quote"),
]


@pytest.mark.parametrize(("data", "said"), FILES)
def test_a_file_that_is_not_csv(folder: Path, data: bytes, said: str) -> None:
    (folder / "schools.csv").write_bytes(data)
    rows, problems = read_folder(folder)
    assert rows == Rows()
    assert {p.file for p in errors(problems)} == {"schools.csv"}, "no reference is blamed for it"
    assert any(said in p.wrong and p.fix for p in problems), "\n".join(map(str, problems))


@pytest.mark.parametrize("code", ["gbk", "gb18030", "utf-8", "utf-8-sig"])
def test_every_encoding_that_excel_saves(write: Write, sheets: dict[str, str], code: str) -> None:
    folder = write(sheets)
    whole = read_folder(folder)
    for file in folder.glob("*.csv"):
        file.write_bytes(file.read_text("utf-8").replace("示例路", "示例※路").encode(code))
    rows, problems = read_folder(folder)
    assert (problems, rows.counts()) == (whole[1], whole[0].counts())
    assert rows.campuses[0].address == "示例※路 1 号"


ENGLISH = "school,hostname,room\n9963020001,{},101\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ENGLISH.format("某小学"), id="each pair of bytes is UTF-8 of two bytes"),
        pytest.param("学校标识码,学校名称\n" + "9963020001,某小学\n" * 50, id="most are"),
        pytest.param("学校标识码,教室名称\n" + "9963020001,一年级一班\n" * 50, id="some are"),
    ],
)
def test_gbk_is_not_taken_for_another_script_in_utf_8(text: str) -> None:
    assert decode("machines.csv", text.encode("gbk"), "") == (text, None)


@pytest.mark.parametrize("name", ["某小学", "ئۈرۈمچى", "José", "3·2", "A×B"])
def test_utf_8_is_not_taken_for_gbk(name: str) -> None:
    text = ENGLISH.format(name)
    assert decode("machines.csv", text.encode(), "") == (text, None)
    assert decode("machines.csv", text.replace(name, "Ж").encode("utf-8-sig"), "")[0].count("Ж")


@pytest.mark.parametrize(("code", "said"), [("utf-8", "不是 UTF-8"), ("gbk", "也不是 GBK")])
def test_a_damaged_cell_is_reported_with_row_and_column(
    write: Write, sheets: dict[str, str], code: str, said: str
) -> None:
    """Most damaged UTF-8 is text in GB 18030 too, and would name schools that do not exist."""
    folder = write(sheets)
    data = sheets["schools"].encode(code)
    name = "城中区示例中学".encode(code)
    (folder / "schools.csv").write_bytes(data.replace(name, name[:4] + b"\xff" + name[4:]))
    found = only(errors(read_folder(folder)[1]))
    assert (found.file, found.row, found.column) == ("schools.csv", 3, "学校名称")
    assert said in found.wrong
    assert found.fix


def test_the_row_of_an_open_quote_is_where_it_opens(write: Write, sheets: dict[str, str]) -> None:
    sheets["machines"] += '9963020001,0101,"pc\n9963020001,C01,pd\n'
    found = only(errors(read_folder(write(sheets))[1]))
    assert (found.file, found.row) == ("machines.csv", 4)


def test_a_file_too_large_is_not_read(folder: Path) -> None:
    with (folder / "schools.csv").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    found = only(errors(read_folder(folder)[1]))
    assert (found.file, found.fix != "") == ("schools.csv", True)
    assert "64 MB" in found.wrong


def test_a_torn_workbook_in_the_folder(folder: Path) -> None:
    (folder / "台账.xlsx").write_bytes(b"PK\x03\x04")
    found = only(errors(read_folder(folder)[1]))
    assert found.file == "台账.xlsx"
    assert "损坏" in found.wrong
    assert "另存为" in found.fix


def test_the_same_sheet_twice(folder: Path) -> None:
    (folder / "学校.csv").write_bytes((folder / "schools.csv").read_bytes())
    found = only(errors(read_folder(folder)[1]))
    assert (found.file, "schools.csv" in found.wrong) == ("学校.csv", True)


def test_a_file_that_is_no_sheet(folder: Path) -> None:
    (folder / "machine.csv").write_text("a\n", encoding="utf-8")
    (folder / ".~lock.schools.csv#").write_text("", encoding="utf-8")
    (folder / "填表说明.csv").write_text("a\n", encoding="utf-8")
    found = only(read_folder(folder)[1])
    assert (found.file, found.warning) == ("machine.csv", True)
    assert "machines.csv" in found.fix


def test_a_missing_sheet(folder: Path) -> None:
    (folder / "rooms.csv").unlink()
    (folder / "machines.csv").unlink()
    _, problems = read_folder(folder)
    assert only(errors(problems)).file == "rooms.csv"
    assert only(warnings(problems)).file == "machines.csv"


def test_a_folder_in_place_of_a_sheet(folder: Path) -> None:
    (folder / "schools.csv").unlink()
    (folder / "schools.csv").mkdir()
    assert only(errors(read_folder(folder)[1])).file == "schools.csv"

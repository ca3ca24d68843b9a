"""What an import removes is asked for; parts, undo, comparisons, the register of a day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from collector.roster.book import BookError, RegisterBook
from collector.roster.rows import Rows, rows_of
from collector.roster.sample import sample_folder
from collector.roster.sheets import write_book
from collector.store.sqlite import SqliteStore
from judged_town import build
from register_sheets import SHEETS
from typed import Typed

NEW = {
    "schools": "9963020005,城东区新校,城东区,小学,,,,",
    "campuses": "9963020005,本部,,,",
    "lines": "9963020005,a,本部,1000,",
    "rooms": "9963020005,本部,11,,普通教室,,",
    "classes": "9963020005,一（1）班,11,,",
}


def new_school(folder: Path) -> Path:
    """Sheets with one school that the good register does not have."""
    folder.mkdir(exist_ok=True)
    for name, text in SHEETS.items():
        head = text.splitlines()[0]
        row = NEW.get(name, "")
        (folder / f"{name}.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    return folder


@pytest.fixture
def book(typed: Typed) -> RegisterBook:
    return RegisterBook(typed.data / "register.db")


@pytest.fixture
def city(typed: Typed, folder: Path) -> Path:
    """The good register of three schools, imported."""
    assert typed("roster", "import", folder)[0] == 0
    return folder


def test_one_new_school_does_not_remove_the_city(
    typed: Typed, book: RegisterBook, city: Path, tmp_path: Path
) -> None:
    before = book.rows(), book.version()
    code, text = typed("roster", "import", new_school(tmp_path / "one"))
    assert code == 2
    assert "删除 学校：9963020001 城东区示例小学（连同 校区 1，线路 1，教室 2，班级 1" in text
    assert "会从台账里删除 26 行，什么也没有改。确要删除，加 --remove" in text
    assert (book.rows(), book.version()) == before
    code, text = typed("--lang", "en", "roster", "import", tmp_path / "one", "--json")
    assert code == 2
    told, end = json.JSONDecoder().raw_decode(text)
    assert (told["import"], told["changes"]["schools"]["removed"]) == (None, 3)
    assert "26 rows would leave the register; nothing was changed" in text[end:]
    assert (book.rows(), book.version()) == before
    assert typed("roster", "import", tmp_path / "one", "--remove")[0] == 0
    assert list(book.load().schools) == ["9963020005"]


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("是", 0), (" ", 2)])
def test_somebody_at_a_terminal_is_asked(
    typed: Typed, book: RegisterBook, city: Path, tmp_path: Path, answer: str, code: int
) -> None:
    one = new_school(tmp_path / "one")
    said = typed.at_terminal("roster", "import", one, answer=answer)
    assert said[0] == code, said[1]
    assert "要从台账里删除 26 行？" in said[1]
    assert len(book.history()) == (2 if code == 0 else 1)


@pytest.mark.parametrize(
    ("sheet", "start"),
    [
        ("classes", "9963030001,七（2）班"),
        ("rooms", "9963020001,本部,C01"),
        ("equipment", "9963020001,0101,电脑"),
        ("machines", "9963020001"),
        ("calendar", "2026-10-10"),
    ],
)
def test_a_single_row_that_leaves_is_asked_for_too(
    typed: Typed, book: RegisterBook, city: Path, sheet: str, start: str
) -> None:
    path = city / f"{sheet}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(start)]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    code, text = typed("roster", "import", city)
    assert (code, len(book.history())) == (2, 1)
    assert "会从台账里删除 1 行" in text


def test_a_dry_run_names_every_row_and_changes_nothing(
    typed: Typed, book: RegisterBook, city: Path, spoil: Callable[..., Path]
) -> None:
    typed("roster", "import", sample_folder(), "--remove")
    version = book.version()
    code, text = typed("roster", "import", city, "--dry-run")
    assert (code, book.version()) == (0, version)
    removed = [line for line in text.splitlines() if line.startswith("  删除 学校")]
    assert len(removed) == len(set(book.load().schools) - {"9963020001", "9963030001"})
    assert "--remove" in text


def test_changes_are_told_field_by_field(
    typed: Typed, city: Path, spoil: Callable[..., Path]
) -> None:
    spoil("schools", 2, "学校名称", "城东区第一小学")
    spoil("lines", 2, "合同带宽", "200")
    spoil("rooms", 3, "座位数", "")
    spoil("classes", 3, "教室编号", "201")
    spoil("equipment", 2, "序列号", "SN2")
    spoil("calendar", 3, "说明", "国庆")
    _, text = typed("roster", "import", city)
    for line in (
        "改动 学校：9963020001 城东区第一小学：学校名称 城东区示例小学 → 城东区第一小学",
        "改动 线路：9963020001 城东区第一小学 · line1：合同带宽 100 → 200",
        "改动 教室：9963020001 城东区第一小学 · C01：座位数 50 → （空）",
        "改动 班级：9963030001 城中区示例中学 · 七（1）班：教室编号 201、301 → 201",
        "改动 设备：9963020001 城东区第一小学 · 0101 投影机：序列号 SN1 → SN2",
        "改动 校历：2026-10-01 放假：说明 国庆节 → 国庆",
    ):
        assert f"  {line}" in text.splitlines()
    code, text = typed("--lang", "en", "roster", "diff", "1", "2")
    assert code == 0
    assert "changed lines: 9963020001 城东区第一小学 · line1: contract_mbps 100 → 200" in text


def test_the_order_of_rows_is_no_change(typed: Typed, city: Path) -> None:
    for path in city.iterdir():
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
    _, text = typed("roster", "import", city, "--json")
    assert json.loads(text)["rows"] == {}


def test_a_comparison_of_folder_day_and_number(
    typed: Typed, book: RegisterBook, city: Path, spoil: Callable[..., Path]
) -> None:
    spoil("schools", 2, "学校名称", "新名")
    assert "→ 新名" in typed("roster", "diff", "1", city)[1]
    assert "新名 → 城东区示例小学" in typed("roster", "diff", city)[1]
    today = dt.datetime.now(CITY_TIME).date()
    assert json.loads(typed("roster", "diff", today, "1", "--json")[1])["rows"] == {}
    assert "没有差别" in typed("roster", "diff", "1", "1")[1]
    assert typed("roster", "diff", "9")[0] == 2
    code, text = typed("roster", "diff", "2020-01-01")
    assert (code, "还没有导入过台账" in text) == (2, True)
    code, text = typed("roster", "diff", "昨天")
    assert (code, "既不是导入的次数也不是日期" in text) == (2, True)
    spoil("schools", 2, "学校类型", "小雪")
    code, text = typed("roster", "diff", city)
    assert (code, "schools.csv 第 2 行 「学校类型」列" in text) == (2, True)


def test_one_school_of_a_folder(typed: Typed, book: RegisterBook, city: Path) -> None:
    """The folder has a wrong row of another school, and lacks a school: neither matters."""
    before = book.rows()
    for name, text in SHEETS.items():
        kept = [line for line in text.splitlines() if not line.startswith("9963020009")]
        changed = "\n".join(kept).replace("100,示例运营商", "500,示例运营商").replace("1G", "坏")
        (city / f"{name}.csv").write_text(changed + "\n", encoding="utf-8")
    code, text = typed("roster", "import", city, "--school", "9963020001")
    assert code == 0, text
    first, *rest = before.lines
    changed_line = dataclasses.replace(first, contract_mbps=500.0)
    assert book.rows() == dataclasses.replace(before, lines=(changed_line, *rest))
    assert book.history()[-1].part == {"schools": ["9963020001"]}
    assert "部分：9963020001" in typed("roster", "history")[1]


def test_a_new_school_beside_the_others(
    typed: Typed, book: RegisterBook, city: Path, tmp_path: Path
) -> None:
    before = book.rows()
    one = new_school(tmp_path / "one")
    assert typed("roster", "import", one, "--school", "9963020005")[0] == 0
    after = book.rows()
    assert after.schools[:-1] == before.schools
    assert after.schools[-1].name == "城东区新校"
    assert after.calendar == before.calendar, "a calendar is of no school"
    assert after.rooms[:-1] == before.rooms


def test_a_school_that_is_in_no_sheet(typed: Typed, city: Path, book: RegisterBook) -> None:
    code, text = typed("roster", "import", city, "--school", "9963020008")
    assert (code, len(book.history())) == (1, 1)
    assert "--school: 「9963020008」各表里没有这所学校的行" in text


@pytest.mark.parametrize(
    "words", [("rooms.csv",), (".", "--sheet", "教室"), (".", "--sheet", "rooms")]
)
def test_one_sheet(
    typed: Typed, book: RegisterBook, city: Path, spoil: Callable[..., Path], words: tuple[str, ...]
) -> None:
    before = book.rows()
    spoil("rooms", 3, "座位数", "60")
    spoil("lines", 2, "合同带宽", "5")
    path, *rest = words
    code, text = typed("roster", "import", city / path, *rest)
    assert code == 0, text
    rooms = [dataclasses.replace(row, seats=60) if row.seats == 50 else row for row in before.rooms]
    assert book.rows() == dataclasses.replace(before, rooms=tuple(rooms))
    assert book.history()[-1].part == {"sheets": ["rooms"]}


def test_a_part_of_a_workbook(typed: Typed, book: RegisterBook, city: Path, tmp_path: Path) -> None:
    before = book.rows()
    lines = tuple(dataclasses.replace(row, contract_mbps=7.0) for row in before.lines)
    seats = tuple(dataclasses.replace(row, seats=9) for row in before.rooms)
    path = tmp_path / "全市.xlsx"
    write_book(path, dataclasses.replace(before, lines=lines, rooms=seats))
    code, text = typed("roster", "import", path, "--sheet", "线路")
    assert code == 0, text
    assert book.rows() == dataclasses.replace(before, lines=lines)
    assert list(book.history()[-1].sheets) == ["全市.xlsx"]
    code, text = typed("roster", "import", path, "--sheet", "rooms", "--school", "9963020001")
    assert code == 0, text
    assert {(row.school, row.seats == 9) for row in book.rows().rooms} == {
        ("9963020001", True), ("9963030001", False)
    }  # fmt: skip
    assert book.rows().lines == lines
    part = {"schools": ["9963020001"], "sheets": ["rooms"]}
    assert book.history()[-1].part == part


def test_one_sheet_must_fit_the_register_in_force(
    typed: Typed, book: RegisterBook, city: Path, spoil: Callable[..., Path]
) -> None:
    spoil("rooms", 2, "教室编号", "0102")
    code, text = typed("roster", "import", city / "rooms.csv", "--remove")
    assert (code, len(book.history())) == (1, 1)
    assert "现行台账「班级」表 第 2 行 「教室编号」列: 「0101」" in text
    spoil("rooms", 2, "教室编号", "0101")
    spoil("rooms", 3, "校区", "东校区")
    code, text = typed("roster", "import", city / "rooms.csv")
    assert (code, "rooms.csv 第 3 行 「校区」列: 「东校区」" in text) == (1, True)


def test_a_sheet_that_is_none(typed: Typed, city: Path, tmp_path: Path) -> None:
    code, text = typed("roster", "import", city, "--sheet", "教师")
    assert (code, "教室" in text) == (2, True)
    (tmp_path / "成绩.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    code, text = typed("roster", "import", tmp_path / "成绩.csv")
    assert (code, "没有读到台账的表" in text) == (1, True)
    (city / "machines.csv").unlink()
    code, text = typed("roster", "import", city, "--sheet", "machines")
    assert (code, "没有读到这张表" in text) == (1, True)


def test_undo_and_the_undo_of_an_undo(
    typed: Typed, book: RegisterBook, city: Path, tmp_path: Path
) -> None:
    first = book.rows()
    typed("roster", "import", new_school(tmp_path / "one"), "--remove")
    second = book.rows()
    code, text = typed("roster", "undo", "--who", "甲")
    assert (code, book.rows()) == (0, first)
    assert "新增 学校：9963020001 城东区示例小学（连同" in text
    assert typed("roster", "undo")[0] == 0
    assert book.rows() == second
    assert [made.restores for made in book.history()] == [None, None, 1, 2]
    assert book.history()[2].who == "甲"
    assert "恢复第 1 次" in typed("roster", "history")[1]
    typed("roster", "undo", "--to", "1")
    assert book.rows() == first
    version = book.version()
    assert typed("roster", "undo", "--dry-run")[0] == 0
    assert book.version() == version


def test_there_is_nothing_to_undo(typed: Typed, folder: Path) -> None:
    assert typed("roster", "undo")[0] == 2
    typed("roster", "import", folder)
    code, text = typed("roster", "undo")
    assert (code, "只有一次导入" in text) == (2, True)
    code, text = typed("roster", "undo", "--to", "7")
    assert (code, "没有第 7 次导入" in text) == (2, True)


def test_the_register_as_of_a_day(
    typed: Typed, book: RegisterBook, folder: Path, tmp_path: Path
) -> None:
    """An import just before and one just after a local midnight."""
    typed("roster", "import", folder)
    rows = book.rows()
    book.path.unlink()
    midnight = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)  # the second of March begins
    second = dt.timedelta(seconds=1)
    book.import_rows(dataclasses.replace(rows, machines=()), now=midnight - second)
    book.import_rows(rows, now=midnight)
    for day, count in (("2026-03-01", 1), ("2026-03-02", 3), ("2026年3月9日", 3), ("1", 1)):
        out = tmp_path / f"out-{day}"
        assert typed("roster", "export", "--at", day, "--out", out)[0] == 0
        lines = (out / "machines.csv").read_text("utf-8-sig").splitlines()
        assert len(lines) == count
    code, text = typed("roster", "export", "--at", "2026-02-28", "--out", tmp_path / "none")
    assert (code, "第一次是 2026-03-01" in text) == (2, True)
    assert not (tmp_path / "none").exists()


def test_undo_gives_the_figure_back_to_the_last_digit(
    typed: Typed, book: RegisterBook, fill: Any, tmp_path: Path
) -> None:
    """The city, then one new school over it, then undo; each figure by the real command."""
    town = build(dt.datetime.now(CITY_TIME).date())
    with SqliteStore(typed.data / "schoolpulse.db") as store:
        fill(town, store)
    book.import_rows(rows_of(town.register()))
    book.add_inspections(town.inspections)

    def figure() -> str:
        code, text = typed("figure", "--json")
        assert code == 0
        return text

    city = figure()
    assert json.loads(city)["areas"][0]["indicators"]["multimedia"]["verified"] == 1
    assert typed("roster", "import", new_school(tmp_path / "one"))[0] == 2
    assert figure() == city
    assert typed("roster", "import", tmp_path / "one", "--remove")[0] == 0
    alone = figure()
    assert json.loads(alone)["areas"] != json.loads(city)["areas"]
    assert typed("roster", "undo")[0] == 0
    assert figure() == city
    assert typed("roster", "undo")[0] == 0
    assert figure() == alone


def test_an_import_compared_with_another_register_is_refused(book: RegisterBook) -> None:
    book.import_rows(Rows(), after=0)
    for after in (0, 2):
        with pytest.raises(BookError, match="另有一次导入"):
            book.import_rows(Rows(), after=after)
    assert len(book.history()) == 1

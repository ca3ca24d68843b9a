"""What an import removes is asked for, what it changes is told field by field."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.common.calendar import CITY_TIME
from collector.roster.book import BookError, RegisterBook
from collector.roster.rows import Rows
from collector.roster.sample import sample_folder
from typed import Typed

from .conftest import new_school


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


def test_an_import_compared_with_another_register_is_refused(book: RegisterBook) -> None:
    book.import_rows(Rows(), after=0)
    for after in (0, 2):
        with pytest.raises(BookError, match="另有一次导入"):
            book.import_rows(Rows(), after=after)
    assert len(book.history()) == 1

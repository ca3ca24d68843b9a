"""`schoolpulse roster` and `schoolpulse inspect`, as a user types them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.cells import cell_len

from agent.common.command_line import main
from collector.cli import COMMANDS
from collector.roster.book import RegisterBook
from collector.roster.sample import sample_folder

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    config = tmp_path / "collector.toml"
    config.write_text(f'data = "{data}"\n', encoding="utf-8")
    needs = {"import", "export", "history", "add", "list"}

    def _run(*words: object) -> tuple[int, str]:
        argv = [str(word) for word in words]
        if needs & set(argv):
            argv += ["--config", str(config)]
        code = main("schoolpulse", COMMANDS, argv)
        seen = capsys.readouterr()
        return code, seen.out + seen.err

    return _run


def test_check_tells_all_and_exits_1(run: Run, spoil: Callable[..., Path]) -> None:
    spoil("schools", 2, "学校类型", "小雪")
    folder = spoil("lines", 2, "合同带宽", "-1")
    code, text = run("roster", "check", folder)
    assert code == 1
    assert "schools.csv 第 2 行 「学校类型」列: 「小雪」" in text
    assert "lines.csv 第 2 行 「合同带宽」列: 「-1」" in text
    code, text = run("--lang", "en", "roster", "check", folder)
    assert code == 1
    assert "lines.csv row 2 column '合同带宽': '-1' is not a rate" in text


def test_check_as_json(run: Run, spoil: Callable[..., Path]) -> None:
    folder = spoil("lines", 2, "合同带宽", "-1")
    spoil("rooms", 2, "教室类型", "走廊")
    code, text = run("roster", "check", folder, "--json")
    found = json.loads(text)
    assert code == 1
    where = [(p["file"], p["row"], p["column"], p["value"]) for p in found["errors"]]
    assert list(found["errors"][0]) == [
        "file", "wrong", "fix", "row", "column", "value", "warning"
    ]  # fmt: skip
    assert where == [("lines.csv", 2, "合同带宽", "-1")]
    assert [p["file"] for p in found["warnings"]] == ["rooms.csv"]


def test_warnings_alone_do_not_fail(run: Run, spoil: Callable[..., Path]) -> None:
    code, text = run("roster", "check", spoil("rooms", 2, "教室类型", "走廊"))
    assert code == 0
    assert "提醒 1" in text


def test_import_replaces_and_says_what_changed(
    run: Run, data: Path, folder: Path, spoil: Callable[..., Path]
) -> None:
    book = RegisterBook(data / "register.db")
    code, text = run("roster", "import", folder, "--dry-run")
    assert (code, book.version()) == (0, 0)
    assert "没有导入" in text
    assert run("roster", "import", folder, "--who", "某科")[0] == 0
    assert book.history()[0].who == "某科"
    assert len(book.load().schools) == 3
    spoil("schools", 2, "学校名称", "城东区示例新校")
    code, text = run("roster", "import", folder, "--json")
    changes = json.loads(text)["changes"]
    assert changes["schools"] == {"added": 0, "removed": 0, "changed": 1}
    assert changes["rooms"] == {"added": 0, "removed": 0, "changed": 0}


def test_import_names_the_schools_that_leave(run: Run, folder: Path) -> None:
    run("roster", "import", sample_folder())
    code, text = run("roster", "import", folder, "--remove")
    assert code == 0
    assert "删除 学校：9963020002 城东区示例小学二（连同 校区 1，线路 1，教室" in text


def test_an_import_with_errors_imports_nothing(
    run: Run, data: Path, folder: Path, spoil: Callable[..., Path]
) -> None:
    run("roster", "import", folder)
    before = RegisterBook(data / "register.db").version()
    code, text = run("roster", "import", spoil("rooms", 3, "座位数", "x"))
    assert code == 1
    assert "一行也没有导入" in text
    assert RegisterBook(data / "register.db").version() == before


def test_export_gives_back_what_was_imported(run: Run, tmp_path: Path) -> None:
    run("roster", "import", sample_folder())
    assert run("roster", "export", "--out", tmp_path / "out")[0] == 0
    for file in (tmp_path / "out").iterdir():
        assert file.read_bytes() == (sample_folder() / file.name).read_bytes()


def test_the_sample_can_be_had_and_imported(run: Run, tmp_path: Path) -> None:
    assert run("--lang", "en", "roster", "sample", "--csv", "--out", tmp_path / "s")[0] == 0
    assert (tmp_path / "s" / "schools.csv").read_text(encoding="utf-8-sig").startswith("code,")
    assert run("roster", "import", tmp_path / "s")[0] == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sample_workbook_is_the_sample(run: Run, tmp_path: Path, language: str) -> None:
    name = {"zh": "台账.xlsx", "en": "register.xlsx"}[language]
    assert run("--lang", language, "roster", "sample", "--out", tmp_path / "s")[0] == 0
    assert run("roster", "sample", "--out", tmp_path / "s" / name)[0] == 2, "nothing is overwritten"
    assert run("roster", "import", tmp_path / "s" / name)[0] == 0
    assert run("roster", "export", "--out", tmp_path / "out")[0] == 0
    for file in (tmp_path / "out").iterdir():
        assert file.read_bytes() == (sample_folder() / file.name).read_bytes()


def test_history_lists_every_import(run: Run, folder: Path) -> None:
    run("roster", "import", folder, "--who", "甲")
    run("roster", "import", folder, "--who", "乙")
    assert [made["who"] for made in json.loads(run("roster", "history", "--json")[1])] == [
        "甲", "乙",
    ]  # fmt: skip
    lines = run("roster", "history")[1].splitlines()
    assert len({cell_len(line) for line in lines}) == 1, "the table's edges stand in line"


def test_without_a_register_the_mend_is_named(run: Run, tmp_path: Path) -> None:
    code, text = run("roster", "export", "--out", tmp_path / "out")
    assert code == 2
    assert "schoolpulse roster import" in text


ONE = (
    "inspect", "add", "--school", "9963020001", "--indicator", "多媒体", "--class", "一（1）班",
    "--date", "2026-10-12", "--inspector", "核查组", "--found",
)  # fmt: skip


def test_one_record_is_added_once(run: Run, data: Path, folder: Path) -> None:
    run("roster", "import", folder)
    assert run(*ONE, "是", "--note", "齐全")[0] == 0
    assert "早已登记" in run(*ONE, "是", "--note", "齐全")[1]
    (row,) = RegisterBook(data / "register.db").load().inspections
    assert (row.school, row.indicator, row.unit) == ("9963020001", "multimedia", "一（1）班")
    assert (row.day, row.inspector, row.found) == (dt.date(2026, 10, 12), "核查组", True)
    assert "城东区示例小学" in run("inspect", "list")[1]
    assert json.loads(run("inspect", "list", "--json", "--school", "9963030001")[1]) == []


def test_all_that_is_wrong_with_a_record(run: Run, data: Path, folder: Path) -> None:
    run("roster", "import", folder)
    code, text = run(
        "inspect", "add", "--school", "9963999999", "--indicator", "别的", "--date", "2999-01-01",
        "--found", "也许",
    )  # fmt: skip
    assert code == 1
    for option in ("school", "indicator", "date", "inspector", "found"):
        assert f"  --{option}: " in text
    assert RegisterBook(data / "register.db").inspections() == []


@pytest.mark.parametrize(
    ("indicator", "name", "said"),
    [
        ("multimedia", "", "要填班级"),
        ("多媒体", "九班", "不是这所学校的班级"),
        ("带宽", "一（1）班", "不填班级"),
    ],
)
def test_the_unit_fits_the_indicator(
    run: Run, folder: Path, indicator: str, name: str, said: str
) -> None:
    run("roster", "import", folder)
    code, text = run(
        "inspect", "add", "--school", "9963020001", "--indicator", indicator, "--class", name,
        "--inspector", "x", "--found", "否",
    )  # fmt: skip
    assert code == 1
    assert said in text


def test_records_from_a_sheet_all_or_none(
    run: Run, data: Path, folder: Path, tmp_path: Path
) -> None:
    run("roster", "import", folder)
    sheet = tmp_path / "核查.csv"
    good = (
        "学校标识码,指标,班级,核查日期,核查人,是否符合,备注\n"
        "9963020001,多媒体,一（1）班,2026/10/12,核查组,是,\n"
        "9963030001,计算机教室,,2026年10月13日,核查组,否,没有\n"
    )
    sheet.write_text(good + "9963030001,带宽,,2026-10-13,,是,\n", encoding="utf-8")
    code, text = run("inspect", "add", "--csv", sheet)
    assert code == 1
    assert "核查.csv 第 4 行 「核查人」列" in text
    book = RegisterBook(data / "register.db")
    assert book.inspections() == []
    sheet.write_text(good, encoding="utf-8")
    assert run("inspect", "add", "--csv", sheet)[0] == 0
    assert [row.found for row in book.inspections()] == [True, False]


def test_a_sheet_and_a_record_at_once_are_refused(run: Run, tmp_path: Path) -> None:
    assert run(*ONE, "是", "--csv", tmp_path / "x.csv")[0] == 2


def test_one_slip_that_many_rows_repeat_is_told_once(run: Run, tmp_path: Path) -> None:
    run("roster", "sample", "--csv", "--out", tmp_path / "sheets")
    rooms = tmp_path / "sheets/rooms.csv"
    head, first, *rest = rooms.read_text("utf-8-sig").splitlines()
    code = first.split(",")[0]
    wrong = [line.replace(code, "9999999999") for line in (first, *rest)]
    rooms.write_text("\n".join([head, *wrong]) + "\n", encoding="utf-8")
    code_, said = run("roster", "check", tmp_path / "sheets")
    lines = [line for line in said.splitlines() if "rooms.csv" in line and "9999999999" in line]
    assert code_ == 1
    assert len(lines) == 1
    assert "第 2–" in lines[0]


def test_export_writes_a_workbook_too(run: Run, folder: Path, tmp_path: Path) -> None:
    run("roster", "import", folder)
    assert run("roster", "export", "--out", tmp_path / "now.xlsx")[0] == 0
    code, text = run("roster", "check", tmp_path / "now.xlsx")
    assert (code, "没有错误" in text) == (0, True), text


def test_no_import_is_no_empty_table(run: Run) -> None:
    assert run("roster", "history") == (0, "没有\n")


def test_the_notes_of_a_workbook_name_its_sheets(run: Run, tmp_path: Path) -> None:
    run("roster", "template", "--out", tmp_path / "empty.xlsx")
    book = load_workbook(tmp_path / "empty.xlsx")
    notes = book.worksheets[-1]
    named = {row[0] for row in notes.iter_rows(min_row=2, values_only=True)}
    assert named == {sheet.title for sheet in book.worksheets[:-1]}
    assert all(sheet.page_setup.orientation == "landscape" for sheet in book.worksheets)
    assert all(sheet.print_title_rows for sheet in book.worksheets)

"""`schoolpulse inspect` by the real commands: voids, replacements, files beside the register."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from agent.common.tables import width
from collector.roster.book import RegisterBook
from collector.roster.register import Inspection
from collector.roster.rows import rows_of
from collector.store.sqlite import SqliteStore
from judged_town import build
from typed import Typed

ONE = (
    "inspect", "add", "--school", "9963020001", "--indicator", "带宽", "--date", "2026-10-12",
    "--inspector", "核查组", "--found",
)  # fmt: skip


@pytest.fixture
def book(typed: Typed, folder: Path) -> RegisterBook:
    assert typed("roster", "import", folder)[0] == 0
    return RegisterBook(typed.data / "register.db")


def test_a_record_has_an_id_a_threshold_and_who_entered_it(
    typed: Typed, book: RegisterBook
) -> None:
    before = dt.datetime.now(dt.UTC)
    code, text = typed(*ONE, "是", "--by", "张科员")
    assert code == 0
    assert "0001-3" in text
    assert "带宽 10M" in text
    (row,) = book.load().inspections
    assert (row.id, row.threshold_mbps, row.entered_by) == ("0001-3", 10.0, "张科员")
    assert row.entered
    assert before <= row.entered <= dt.datetime.now(dt.UTC)
    assert typed(*ONE, "是", "--threshold", "100M")[0] == 0
    assert [row.threshold_mbps for row in book.inspections()] == [10.0, 100.0]
    _, text = typed("inspect", "list", "--json")
    assert json.loads(text)[0]["entered"] == row.entered.isoformat()


def test_the_threshold_is_that_of_the_settings(typed: Typed, book: RegisterBook) -> None:
    with typed.config.open("a", encoding="utf-8") as file:
        file.write("[figure]\nthreshold_mbps = 100\n")
    typed(*ONE, "是")
    assert book.inspections()[0].threshold_mbps == 100.0
    code, text = typed(
        "inspect", "add", "--school", "9963020001", "--indicator", "计算机教室", "--inspector",
        "x", "--found", "是", "--threshold", "10",
    )  # fmt: skip
    assert (code, "只有带宽有门槛" in text) == (1, True)


def test_a_void_needs_its_reason_and_stays_visible(typed: Typed, book: RegisterBook) -> None:
    typed(*ONE, "是")
    with pytest.raises(SystemExit) as end:
        typed("inspect", "void", "0001-3")
    assert end.value.code == 2
    assert typed("inspect", "void", "0001-3", "--why", " ")[0] == 2
    code, text = typed("inspect", "void", "1-3", "--why", "看错了学校", "--by", "李科员")
    assert code == 0
    today = dt.datetime.now(CITY_TIME).date()
    assert f"{today} 由 李科员 作废：看错了学校" in text.replace("\n", "")
    (row,) = book.load().inspections
    assert (row.void, row.voided_by, row.found) == ("看错了学校", "李科员", True)
    code, text = typed("--lang", "en", "inspect", "void", "1-3", "--why", "x")
    assert (code, "was made void" in text) == (2, True)
    code, text = typed("inspect", "void", "1-4", "--why", "x")
    assert (code, "「1-4」不是核查编号" in text) == (2, True)


def test_a_slip_is_put_right_without_typing_the_rest_again(
    typed: Typed, book: RegisterBook
) -> None:
    typed(*ONE, "是", "--note", "在机房测")
    code, text = typed("inspect", "add", "--replaces", "1-3", "--found", "否")
    assert code == 0, text
    old, new = book.inspections()
    assert (old.void, old.found) == ("→ 0002-1", True)
    assert (new.replaces, new.found, new.note, new.day) == ("0001-3", False, old.note, old.day)
    assert new.threshold_mbps == 10.0
    code, text = typed(
        "inspect", "add", "--replaces", "2-1", "--indicator", "多媒体", "--class", "一（1）班"
    )
    assert code == 0, text
    (valid,) = [row for row in book.inspections() if not row.void]
    assert (valid.indicator, valid.unit, valid.threshold_mbps) == ("multimedia", "一（1）班", None)
    _, text = typed("inspect", "list")
    assert "替代 0002-1" in text
    assert typed("inspect", "add", "--replaces", "2-1", "--found", "是")[0] == 2
    assert len(book.inspections()) == 3


def test_a_wrong_replacement_leaves_the_old_record(typed: Typed, book: RegisterBook) -> None:
    typed(*ONE, "是")
    code, text = typed("inspect", "add", "--replaces", "1-3", "--school", "9963999999")
    assert (code, "台账里没有这所学校" in text) == (1, True)
    assert [row.void for row in book.inspections()] == [""]
    assert typed("inspect", "add", "--replaces", "1-3")[0] == 2, "it says the same"


def test_a_photo_is_kept_and_a_change_of_it_is_told(
    typed: Typed, book: RegisterBook, tmp_path: Path
) -> None:
    photo = tmp_path / "机房 照片.JPG"
    photo.write_bytes(b"\xff\xd8 a photo")
    assert typed(*ONE, "是", "--file", photo)[0] == 0
    photo.unlink()
    (row,) = book.inspections()
    assert row.file == "机房 照片.JPG"
    (kept,) = (typed.data / "inspections").iterdir()
    assert kept.name == f"{row.file_sha256}.jpg"
    assert kept.read_bytes() == b"\xff\xd8 a photo"
    assert typed("inspect", "check")[0] == 0
    kept.write_bytes(b"\xff\xd8 another")
    code, text = typed("inspect", "check")
    assert (code, f"0001-3 机房 照片.JPG: {kept}: 被改过" in text) == (1, True)
    kept.unlink()
    code, text = typed("inspect", "check", "--json")
    assert (code, "不见了" in json.loads(text)["wrong"][0]["wrong"]) == (1, True)


def test_a_replacement_keeps_the_photo(typed: Typed, book: RegisterBook, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    typed(*ONE, "是", "--file", tmp_path / "a.png")
    typed("inspect", "add", "--replaces", "1-3", "--found", "否")
    old, new = book.inspections()
    assert (new.file, new.file_sha256) == (old.file, old.file_sha256)


@pytest.mark.parametrize("content", [None, b""])
def test_a_photo_that_is_none(
    typed: Typed, book: RegisterBook, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    code, text = typed(*ONE, "是", "--file", path)
    assert (code, "a.png" in text) == (2, True)
    assert book.inspections() == []


def test_records_of_a_sheet_name_the_sheet(
    typed: Typed, book: RegisterBook, tmp_path: Path
) -> None:
    sheet = tmp_path / "核查.csv"
    sheet.write_text(
        "学校标识码,指标,班级,核查日期,核查人,是否符合,带宽门槛\n"
        "9963020001,带宽,,2026-10-12,核查组,是,100兆\n"
        "9963030001,带宽,,2026-10-12,核查组,否,\n",
        encoding="gbk",
    )
    assert typed("inspect", "add", "--csv", sheet, "--json")[0] == 0
    rows = book.inspections()
    assert [(row.file, row.threshold_mbps) for row in rows] == [("核查.csv", 100), ("核查.csv", 10)]
    assert typed("inspect", "check")[0] == 0
    sheet.write_text("学校标识码\n", encoding="utf-8")
    assert typed("inspect", "add", "--csv", sheet)[0] == 1


@pytest.fixture
def judged(typed: Typed, fill: Any) -> Typed:
    """A city with evidence of today, on disk."""
    town = build(dt.datetime.now(CITY_TIME).date())
    book = RegisterBook(typed.data / "register.db")
    book.import_rows(rows_of(town.register()))
    with SqliteStore(typed.data / "schoolpulse.db") as store:
        fill(town, store)
    return typed


def test_a_void_and_a_replacement_speak_in_the_figure_and_are_explained(
    judged: Typed, tmp_path: Path
) -> None:
    def share() -> int:
        tree = json.loads(judged("figure", "--json")[1])
        return int(tree["areas"][0]["indicators"]["computer_room"]["inspected"])

    def explained(lang: str = "zh") -> str:
        code, text = judged("--lang", lang, "figure", "--explain", "9901020002")
        assert code == 0
        return "".join(text.split())

    day = dt.datetime.now(CITY_TIME).date() - dt.timedelta(days=1)
    one = ("--school", "9901020002", "--indicator", "计算机教室", "--date", day)
    before = share()
    judged("inspect", "add", *one, "--inspector", "甲", "--found", "是")
    assert share() == before + 1
    assert "达标，有效至" in explained()
    judged("inspect", "add", "--replaces", "1-3", "--found", "否")
    assert share() == before
    text = explained()
    assert f"0001-3{day}，甲：已作废，不再有效：→0002-1" in text
    assert f"0002-1{day}，甲：不达标" in text
    judged("inspect", "void", "2-1", "--why", "看错了门牌")
    assert share() == before
    assert f"0002-1{day}，甲：已作废，不再有效：看错了门牌" in explained()
    assert f"0001-3{day},甲:void,itsaysnothing:→0002-1" in explained("en")
    assert judged("report", "--format", "json", "--out", tmp_path / "report")[0] == 0
    (path,) = (tmp_path / "report").iterdir()
    assert "已作废，不再有效：看错了门牌" in path.read_text(encoding="utf-8")


def test_one_entered_after_the_cut_off_is_marked(judged: Typed) -> None:
    today = dt.datetime.now(CITY_TIME).date()
    last = today - dt.timedelta(days=1)
    if last.year != today.year:
        last = today  # on New Year's Day nothing of this year lies before a cut-off
    one = ("--school", "9901020002", "--indicator", "计算机教室", "--date", last)
    judged("inspect", "add", *one, "--inspector", "甲", "--found", "是")
    _, text = judged("figure", "--explain", "9901020002", "--cutoff", last)
    assert (f"补录于{today}，在截止日之后" in "".join(text.split())) == (last < today)


@pytest.mark.parametrize("word", ["带宽", "宽带", "line"])
def test_the_list_takes_the_words_that_add_takes(
    typed: Typed, book: RegisterBook, word: str
) -> None:
    typed(*ONE, "是")
    code, text = typed("inspect", "list", "--indicator", word)
    assert (code, "0001-3" in text) == (0, True), text
    assert "没有" in typed("inspect", "list", "--indicator", "多媒体")[1]


@pytest.mark.parametrize(("lang", "word"), [("zh", "班班多媒体"), ("en", "all classes")])
def test_an_indicator_that_is_off_by_default_is_listed_by_its_name(
    typed: Typed, book: RegisterBook, lang: str, word: str
) -> None:
    day = dt.date(2026, 10, 12)
    book.add_inspections([Inspection("9963020001", "all_classes", "", day, "核查组", found=True)])
    _, text = typed("--lang", lang, "inspect", "list")
    assert word in text
    assert "all_classes" not in text


def test_an_indicator_that_is_none_is_refused_with_the_words(
    typed: Typed, book: RegisterBook, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        typed("inspect", "list", "--indicator", "带")
    assert "是不是「带宽」？可填：多媒体、计算机教室、带宽" in capsys.readouterr().err


def test_ids_codes_and_days_stay_whole_in_80_columns(
    typed: Typed, book: RegisterBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, text = typed(*ONE, "是", "--note", "现场测速 98 Mbit/s，光猫在二楼机房")
    assert all(word in text for word in ("0001-3", "9963020001", "2026-10-12"))
    assert max(map(width, text.splitlines())) <= 80

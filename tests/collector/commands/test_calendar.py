"""`schoolpulse calendar`: ics and csv in, other sheets untouched, bad rows named, the end seen."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME
from collector import cli
from collector.config import Config
from collector.doctor import calendar as doctors
from collector.roster.book import RegisterBook
from collector.roster.calendar import ending, ics
from collector.roster.register import CalendarRow, School
from collector.roster.rows import Rows

OLD = CalendarRow(dt.date(2025, 9, 1), dt.date(2026, 1, 9), "term", "旧学期")
SCHOOL = School("9900000001", "示例小学", "630102", "小学", "630102")
Run = Callable[..., int]

ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Asia/Shanghai
BEGIN:STANDARD
DTSTART:19700101T000000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270205
DTEND;VALUE=DATE:20270213
SUMMARY:春节 假
 期\\, 共八天
BEGIN:VALARM
TRIGGER:-PT15M
SUMMARY:不相干
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID="Asia/Shanghai":20270214T000000
DTEND;TZID="Asia/Shanghai":20270215T000000
SUMMARY:春节(班)
END:VEVENT
BEGIN:VEVENT
DTSTART:20270430T160000Z
DURATION:P5D
SUMMARY:Labour Day
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270301
DTEND;VALUE=DATE:20270711
CATEGORIES:学期
SUMMARY:春季开学至放暑假
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270606
STATUS:CANCELLED
SUMMARY:端午
END:VEVENT
END:VCALENDAR
"""
NEW = {
    (dt.date(2027, 2, 5), dt.date(2027, 2, 12), "holiday"),
    (dt.date(2027, 2, 14), dt.date(2027, 2, 14), "makeup"),
    (dt.date(2027, 5, 1), dt.date(2027, 5, 5), "holiday"),
    (dt.date(2027, 3, 1), dt.date(2027, 7, 10), "term"),
}


@pytest.fixture
def book(tmp_path: Path) -> RegisterBook:
    made = RegisterBook(tmp_path / "data/register.db")
    made.import_rows(Rows(schools=(SCHOOL,), calendar=(OLD,)), who="test")
    return made


@pytest.fixture
def run(book: RegisterBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SCHOOLPULSE_DATA", str(book.path.parent))

    def run(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["schoolpulse", "calendar", *map(str, words)])
        try:
            return cli.main()
        except SystemExit as ended:
            return int(ended.code or 0)

    return run


def days(book: RegisterBook) -> set[tuple[dt.date, dt.date, str]]:
    rows = book.rows_of(book.history()[-1].number)
    assert rows.schools == (SCHOOL,), "the other sheets are as they were"
    return {(row.first, row.last, row.kind) for row in rows.calendar}


def term(row: CalendarRow) -> tuple[dt.date, dt.date, str]:
    return row.first, row.last, row.kind


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "gbk"])
def test_days_of_an_ics_file_are_added(
    run: Run, book: RegisterBook, tmp_path: Path, ending: str, code: str
) -> None:
    file = tmp_path / "2027.ics"
    file.write_bytes(ICS.replace("\n", ending).encode(code))
    assert run("import", file) == 0
    assert days(book) == NEW | {term(OLD)}
    [_, made] = book.history()
    assert (made.part, list(made.sheets)) == ({"sheets": ["calendar"]}, ["2027.ics"])
    assert run("import", file) == 0
    assert len(book.history()) == 2, "the same again is no import"


@pytest.mark.parametrize(
    "text",
    [
        "日期,结束日期,类别,说明\n2027-02-05,2027-02-12,放假,春节\n2027.2.14,,补班,\n",
        "date,last,kind\n2027-02-05,2027-02-12,holiday\n2027-02-14,,makeup\n",
    ],
)
def test_days_of_a_csv_file_are_added(
    run: Run, book: RegisterBook, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "whatever.csv"
    file.write_text(text, "utf-8")
    assert run("import", file) == 0
    assert days(book) == {
        (dt.date(2027, 2, 5), dt.date(2027, 2, 12), "holiday"),
        (dt.date(2027, 2, 14), dt.date(2027, 2, 14), "makeup"),
        term(OLD),
    }


def test_days_leave_only_with_remove(
    run: Run, book: RegisterBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "2027.ics"
    file.write_text(ICS, "utf-8")
    assert run("import", file, "--remove", "--dry-run") == 0
    assert days(book) == {term(OLD)}
    assert run("import", file, "--remove") == 0
    assert days(book) == NEW
    file.write_text("date,kind\n2027-02-06,makeup\n", "utf-8")
    csv = file.rename(tmp_path / "wrong.csv")
    capsys.readouterr()
    assert run("import", csv) == 1
    assert "--remove" in capsys.readouterr().out, "a contradiction with what is in force"
    assert days(book) == NEW


EVENT = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20270205\nSUMMARY:放假\nEND:VEVENT\n"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (EVENT.replace("放假", "家长会"), 4, "看不出"),
        (EVENT.replace("放假", "教师节"), 4, "看不出"),
        (EVENT.replace("20270205", "20270230"), 3, "不是日期"),
        (EVENT.replace("20270205", "soon"), 3, "不是日期"),
        (EVENT.replace("DTSTART", "X-START"), 2, "没有 DTSTART"),
        (EVENT.replace("SUMMARY", "RRULE:FREQ=YEARLY\nSUMMARY"), 4, "重复"),
        (EVENT.replace("SUMMARY", "DTEND;VALUE=DATE:20270204\nSUMMARY"), 4, "结束早于开始"),
        (EVENT.replace("SUMMARY", "DURATION:PT3H\nSUMMARY"), 4, "整天"),
        (EVENT.replace("END:VEVENT\n", ""), 2, "不完整"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(
    run: Run, book: RegisterBook, tmp_path: Path, text: str, line: int, why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "bad.ics"
    file.write_text(f"BEGIN:VCALENDAR\n{text}", "utf-8")
    assert run("import", file) == 1
    out = capsys.readouterr().out
    assert f"第 {line} 行" in out
    assert why in out
    assert "办法" in out
    assert days(book) == {term(OLD)}


def test_files_that_hold_no_calendar_are_named(
    run: Run, book: RegisterBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in (
        ("empty.ics", b""), ("junk.ics", bytes(range(256))), ("none.ics", None), ("no.csv", b"x"),
    ):  # fmt: skip
        if data is not None:
            (tmp_path / name).write_bytes(data)
        assert run("import", tmp_path / name) == 1
        assert name in capsys.readouterr().out
    assert days(book) == {term(OLD)}


@given(st.text(alphabet='BEGINDVT:;=\r\n 0123456789TZP调休(班)SUMARY\\"', max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    ics.read("f", text)
    ics.read("f", f"BEGIN:VEVENT\nDTSTART:{text}\nDTEND:{text}\nSUMMARY:假期\nEND:VEVENT")


def test_an_overlong_span_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "long.ics"
    file.write_text(EVENT.replace("SUMMARY", "DURATION:P9999999D\nSUMMARY"), "utf-8")
    assert run("import", file) == 1


def test_without_a_register_nothing_is_made(
    tmp_path: Path, run: Run, book: RegisterBook, capsys: pytest.CaptureFixture[str]
) -> None:
    book.path.unlink()
    file = tmp_path / "2027.ics"
    file.write_text(ICS, "utf-8")
    assert run("import", file) == 2
    assert "roster import" in capsys.readouterr().err


def test_list_and_check_say_when_it_ends(
    run: Run, book: RegisterBook, capsys: pytest.CaptureFixture[str]
) -> None:
    today = dt.datetime.now(CITY_TIME).date()
    for left, said in ((-1, "已于"), (0, "结束"), (60, "结束"), (61, "")):
        last = today + dt.timedelta(days=left)
        row = CalendarRow(last - dt.timedelta(days=90), last, "term")
        book.import_rows(Rows(schools=(SCHOOL,), calendar=(row,)), who="test")
        capsys.readouterr()
        assert run("check") == (1 if said else 0)
        assert (said or "没有问题") in capsys.readouterr().out
        assert run("list", "--json") == 0
        [shown] = json.loads(capsys.readouterr().out)
        assert shown["last"] == last.isoformat()
        found = list(doctors.soon(Config(data=str(book.path.parent)), today))
        assert [check.ok for check in found] == ([False] if 0 <= left <= ending.SOON_DAYS else [])
        assert all("calendar import" in check.fix for check in found)

"""On-site records in the book: ids, voids, replacements; nothing is ever taken away."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.roster.book import BookError, RegisterBook
from collector.roster.book.ids import inspection_id, inspection_number
from collector.roster.register import Inspection

AT = dt.datetime(2026, 11, 28, 8, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(days=1)
SEEN = Inspection("9963000001", "line", "", dt.date(2026, 11, 1), "核查组", True, "测过", "", 10.0)


@pytest.fixture
def book(tmp_path: Path) -> RegisterBook:
    return RegisterBook(tmp_path / "register.db")


def test_a_record_keeps_who_entered_it_and_when(book: RegisterBook) -> None:
    (made,) = book.record([SEEN], who="某人", now=AT)
    assert made == dataclasses.replace(SEEN, id="0001-3", entered=AT, entered_by="某人")
    assert book.inspections() == [made] == [book.inspection("1-3")]


def test_a_void_record_stays_and_says_why(book: RegisterBook) -> None:
    (made,) = book.record([SEEN], who="甲", now=AT)
    book.void(made.id, "学校写错了", who="乙", now=LATER)
    (row,) = book.inspections()
    assert row == dataclasses.replace(made, void="学校写错了", voided=LATER, voided_by="乙")
    with pytest.raises(BookError, match=r"0001-3 已于 2026-11-29 由 乙 作废：学校写错了"):
        book.void(made.id, "又一次")


def test_a_replacement_makes_the_old_record_void_and_names_it(book: RegisterBook) -> None:
    (old,) = book.record([SEEN], now=AT)
    right = dataclasses.replace(SEEN, found=False, replaces=" １－３ ")
    (new,) = book.record([right], who="乙", now=LATER)
    first, second = book.inspections()
    assert (first.id, first.found, first.void, first.voided_by) == (old.id, True, "→ 0002-1", "乙")
    assert (second.id, second.void, second.replaces) == (new.id, "", old.id)
    with pytest.raises(BookError, match="作废"):
        book.record([dataclasses.replace(SEEN, note="x", replaces=old.id)])
    assert len(book.inspections()) == 2


def test_what_was_made_void_may_be_recorded_anew(book: RegisterBook) -> None:
    book.record([SEEN])
    assert book.record([SEEN]) == []
    book.void("1-3", "误登")
    assert [row.id for row in book.record([SEEN])] == ["0002-1"]


def test_a_replacement_by_the_same_words_is_refused(book: RegisterBook) -> None:
    book.record([SEEN, dataclasses.replace(SEEN, note="别的")])
    with pytest.raises(BookError, match="完全相同"):
        book.record([dataclasses.replace(SEEN, replaces="2-1")])
    assert [row.void for row in book.inspections()] == ["", ""]


@pytest.mark.parametrize(
    ("given_id", "said"),
    [("0001", "不是核查编号"), ("0001-1", "不是核查编号"), ("7-2", "没有编号")],
)
def test_an_id_with_a_slip_names_no_record(book: RegisterBook, given_id: str, said: str) -> None:
    book.record([SEEN])
    with pytest.raises(BookError, match=f"{said}.*inspect list"):
        book.void(given_id, "x")
    assert book.inspections()[0].void == ""


@given(st.integers(1, 10**9), st.integers(0, 11), st.integers(0, 9))
def test_one_wrong_digit_is_always_noticed(number: int, at: int, digit: int) -> None:
    text = inspection_id(number)
    assert inspection_number(text) == number
    at %= len(text)
    wrong = text[:at] + str(digit) + text[at + 1 :]
    assert wrong == text or inspection_number(wrong) is None


def test_the_check_digit_is_that_of_the_standard() -> None:
    assert inspection_id(794) == "0794-5", "the example of ISO/IEC 7064"


def test_nobody_takes_a_record_away(book: RegisterBook) -> None:
    book.record([SEEN])
    book.void("1-3", "x")
    with closing(sqlite3.connect(book.path)) as db:
        for change in (
            "DELETE FROM inspection", "UPDATE inspection SET found = 0",
            "DELETE FROM inspection_void", "UPDATE inspection_void SET why = ''",
        ):  # fmt: skip
            with pytest.raises(sqlite3.IntegrityError, match="only added"):
                db.execute(change)


def test_all_or_none(book: RegisterBook) -> None:
    book.record([SEEN])
    more = dataclasses.replace(SEEN, note="更多")
    with pytest.raises(BookError):
        book.record([more, dataclasses.replace(more, note="x", replaces="9-7")])
    assert len(book.inspections()) == 1

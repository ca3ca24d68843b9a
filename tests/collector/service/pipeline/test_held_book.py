"""What was held, counted by school and reason in a book that is bounded."""

from __future__ import annotations

from pathlib import Path

from collector.ingest import Held, Source
from collector.service.pipeline.held_book import MOST, HeldBook

SCHOOL, OTHER, MACHINE, BOOT = "9900000001", "9900000002", "ab" * 16, "0123456789abcdef"


def held(school: str, reason: str, number: int, detail: str = "") -> Held:
    return Held(Source(school, MACHINE, BOOT, number), reason, None, detail)


def test_the_book_counts_by_school_and_reason(tmp_path: Path) -> None:
    book = HeldBook(tmp_path / "held.db")
    book.note([held(SCHOOL, "simulated", 2), held(SCHOOL, "simulated", 3, "x")], 100)
    book.flush()
    book.note([held(SCHOOL, "simulated", 4, "\0'\x1b"), held(OTHER, "unknown_line", 5)], 200)
    book.close()
    book = HeldBook(tmp_path / "held.db")
    first, second = book.rows()
    assert first[:5] == (SCHOOL, "simulated", 3, 100, 200)
    assert (first.number, first.detail) == (4, "\0'\x1b")
    assert second.school == OTHER
    assert book.rows(OTHER) == [second]
    book.close()


def test_the_book_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    book = HeldBook(tmp_path / "held.db")
    for start in (0, MOST):
        many = [held(f"{n:010}", "unknown_school", 2) for n in range(start, start + MOST + 50)]
        book.note(many, start + 1)
        book.flush()
    rows = book.rows()
    assert len(rows) == MOST
    assert {row.first_ms for row in rows} == {MOST + 1}
    book.close()

"""The book: whole imports, their history, on-site records, and files that are none."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.common import language
from collector.roster.book import BookError, DamagedBookError, NoRegisterError, RegisterBook
from collector.roster.book import book as book_module
from collector.roster.book import file as bookfile
from collector.roster.register import Inspection, School
from collector.roster.rows import Rows, rows_of
from collector.roster.sheets import hashes, read_folder


def a_school(number: int, name: str = "示例") -> School:
    return School(f"9963{number:06d}", name, "630102", "小学", "630102")


@pytest.fixture
def book(tmp_path: Path) -> RegisterBook:
    return RegisterBook(tmp_path / "data" / "register.db")


def _inspection(day: int = 1, note: str = "") -> Inspection:
    return Inspection(
        "9963000001", "multimedia", "一班", dt.date(2026, 9, day), "核查组", True, note
    )


def test_what_is_imported_is_loaded(book: RegisterBook, folder: Path) -> None:
    rows, _ = read_folder(folder)
    now = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)
    made = book.import_rows(rows, who="某人", source="x", sheets=hashes(folder), now=now)
    assert book.load() == rows.register()
    assert book.rows() == rows
    assert book.history() == [made]
    assert (made.number, made.at, made.who, made.counts["rooms"]) == (1, now, "某人", 4)
    assert set(made.sheets) == {f"{name}.csv" for name in rows.counts()}
    assert all(len(digest) == 64 for digest in made.sheets.values())


def test_an_import_replaces_the_whole_register(book: RegisterBook) -> None:
    book.import_rows(Rows(schools=(a_school(1), a_school(2))))
    book.import_rows(Rows(schools=(a_school(3),)))
    assert list(book.load().schools) == ["9963000003"]
    assert [made.counts["schools"] for made in book.history()] == [2, 1]


def test_the_register_of_an_earlier_day(book: RegisterBook) -> None:
    days = [dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (3, 6)]
    for number, day in enumerate(days):
        book.import_rows(Rows(schools=(a_school(number),)), now=day)

    def schools(at: dt.datetime) -> list[str]:
        return list(book.load(at).schools)

    assert schools(days[0]) == ["9963000000"]
    assert schools(days[1] - dt.timedelta(seconds=1)) == ["9963000000"]
    assert schools(days[1]) == ["9963000001"]
    assert schools(days[0] - dt.timedelta(days=99)) == ["9963000000"], "the first before any"


def test_the_version_changes_with_every_change_and_only_then(book: RegisterBook) -> None:
    seen = [book.version()]
    book.import_rows(Rows(schools=(a_school(1),)))
    seen.append(book.version())
    book.import_rows(Rows(schools=(a_school(1),)))
    seen.append(book.version())
    book.add_inspections([_inspection()])
    seen.append(book.version())
    assert seen[0] == 0
    assert len(set(seen)) == 4
    assert book.version() == seen[-1]


def test_inspections_stand_beside_every_import(book: RegisterBook) -> None:
    book.import_rows(Rows(schools=(a_school(1),)))
    assert book.add_inspections([_inspection(2), _inspection(1)], who="x") == 2
    assert book.add_inspections([_inspection(2), _inspection(2, "又看")]) == 1
    book.import_rows(Rows(schools=(a_school(1),)))
    assert [(row.day.day, row.note) for row in book.load().inspections] == [
        (1, ""), (2, ""), (2, "又看"),
    ]  # fmt: skip
    assert book.inspections() == list(book.load().inspections)


def test_the_rows_of_a_built_register(book: RegisterBook, folder: Path) -> None:
    register = read_folder(folder)[0].register()
    book.import_rows(rows_of(register))
    assert book.load() == register


def test_a_missing_book_says_how_to_begin(book: RegisterBook) -> None:
    assert (book.version(), book.history(), book.inspections()) == (0, [], [])
    assert not book.load_or_empty().schools
    with pytest.raises(NoRegisterError, match=r"schoolpulse roster import"):
        book.load()
    assert not book.path.exists(), "asking makes no file"


def test_a_book_of_inspections_alone_has_no_register(book: RegisterBook) -> None:
    book.add_inspections([_inspection()])
    with pytest.raises(NoRegisterError):
        book.load()
    assert book.version() == 1


def test_an_empty_file_is_a_book_not_begun(book: RegisterBook) -> None:
    book.path.parent.mkdir()
    book.path.touch()
    assert book.version() == 0
    book.import_rows(Rows(schools=(a_school(1),)))
    assert list(book.load().schools) == ["9963000001"]


@pytest.mark.parametrize("data", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_book(book: RegisterBook, data: bytes) -> None:
    book.path.parent.mkdir()
    book.path.write_bytes(data)
    for action in (book.load, book.version, book.history, lambda: book.import_rows(Rows())):
        with pytest.raises(DamagedBookError, match=r"register\.db"):
            action()
    assert book.path.read_bytes() == data


def test_another_programs_database_is_left_alone(book: RegisterBook) -> None:
    book.path.parent.mkdir()
    base = sqlite3.connect(book.path)
    base.execute("CREATE TABLE t (a)")
    base.commit()
    base.close()
    with pytest.raises(DamagedBookError):
        book.import_rows(Rows())


def test_a_book_from_the_future(book: RegisterBook) -> None:
    book.import_rows(Rows())
    base = sqlite3.connect(book.path)
    base.execute("PRAGMA user_version = 99")
    base.commit()
    base.close()
    with pytest.raises(BookError, match="升级"):
        book.load()


def test_rows_that_were_tampered_with(book: RegisterBook) -> None:
    book.import_rows(Rows())
    base = sqlite3.connect(book.path)
    base.execute("UPDATE import SET rows = x'00'")
    base.commit()
    base.close()
    with pytest.raises(DamagedBookError):
        book.load()


def test_two_imports_at_once_wait_or_say_so(
    book: RegisterBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.import_rows(Rows())
    monkeypatch.setattr(bookfile, "WAIT_S", 0.01)
    other = sqlite3.connect(book.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BookError, match="另一个导入"):
        book.import_rows(Rows())
    assert len(book.history()) == 1, "a reader does not wait"
    other.execute("ROLLBACK")
    other.close()


def test_a_full_disk_leaves_the_register_as_it_was(
    book: RegisterBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.import_rows(Rows(schools=(a_school(1),)))
    connect = bookfile.connect

    def small(path: Path) -> sqlite3.Connection:
        base = connect(path)
        pages = base.execute("PRAGMA page_count").fetchone()[0]
        base.execute(f"PRAGMA max_page_count = {pages}")
        return base

    monkeypatch.setattr(book_module, "connect", small)
    crowd = (a_school(n, os.urandom(40).hex()) for n in range(2000))
    with pytest.raises(BookError, match="磁盘已满"):
        book.import_rows(Rows(schools=tuple(crowd)))
    assert list(book.load().schools) == ["9963000001"]
    assert len(book.history()) == 1


def test_a_disk_that_fails_is_no_reason_to_move_the_book_away(book: RegisterBook) -> None:
    """A full disk says so too, where the log beside the book finds no room."""
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorname = "SQLITE_IOERR_WRITE"
    with pytest.raises(BookError, match="腾出空间") as said, bookfile.explained_errors(book.path):
        raise failed
    assert "移开" not in str(said.value)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    language.choose("en")
    with pytest.raises(BookError, match="cannot be used"):
        RegisterBook(tmp_path / "file" / "register.db").import_rows(Rows())


def test_readers_see_the_one_or_the_other_while_imports_run(book: RegisterBook) -> None:
    """Each import has as many rooms' worth of schools as its name says."""
    first = Rows(schools=tuple(a_school(n, "甲") for n in range(300)))
    other = Rows(schools=tuple(a_school(n, "乙") for n in range(400)))
    book.import_rows(first)
    stop, failures = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            schools = book.load().schools.values()
            if {(len(schools), s.name) for s in schools} not in ({(300, "甲")}, {(400, "乙")}):
                failures.append(len(schools))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(10):
        book.import_rows(other)
        book.import_rows(first)
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(book.history()) == 21


_WRITER = """
import sys
from pathlib import Path
from collector.roster.book import RegisterBook
from collector.roster.register import Inspection, School
from collector.roster.rows import Rows
import datetime as dt

book = RegisterBook(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    size = 200 + number % 2 * 100
    place = (str(size), "630102", "小学", "630102")
    schools = tuple(School(f"9963{n:06d}", *place) for n in range(size))
    book.import_rows(Rows(schools=schools), who=str(number))
    print(number, flush=True)
"""


def test_killed_in_the_middle_nothing_is_half_imported(book: RegisterBook) -> None:
    chance = random.Random(1)
    for _ in range(5):
        known = len(book.history())
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(book.path)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(chance.randint(1, 6))]
        threading.Event().wait(chance.random() * 0.02)  # die anywhere within an import
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split()]
        writer.wait()
        writer.stdout.close()
        history = book.history()
        schools = book.load().schools
        assert len(history) - known in (told[-1], told[-1] + 1), "what was said done is there"
        assert book.version() == len(history)
        assert {school.name for school in schools.values()} == {str(len(schools))}
        assert history[-1].counts["schools"] == len(schools)

"""What only the SQLite store can be asked: crashes, full disks, other files, other versions."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from collector.config import Config
from collector.schema import tables as schema
from collector.store import tables
from collector.store.base import MisconfiguredError, Point, RejectedError, UnavailableError
from collector.store.factory import FILE, open_store
from collector.store.sqlite import SqliteStore
from pruning import prune

PC = {"school": "9963000001", "machine": "ab" * 16}
NOW = 1_780_000_000
NS = 10**9
DAY = 86_400


def agent(time: int, **fields: int) -> Point:
    return Point("agent", PC, {"boot": "0" * 16, "number": 1, **fields}, time)


def count(path: Path, name: str = "agent") -> int:
    with sqlite3.connect(path) as db:
        return int(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0])


def test_the_factory_puts_the_file_into_the_folder(tmp_path: Path) -> None:
    with open_store(Config(data=str(tmp_path / "new"))) as store:
        store.write([agent(1)])
    assert count(tmp_path / "new" / FILE) == 1


_WRITER = """
import sys, pathlib
from collector.store.base import Point
from collector.store.sqlite import SqliteStore
store = SqliteStore(pathlib.Path(sys.argv[1]))
for n in range(10**9):
    tags = {"school": "9963000001", "machine": "ab" * 16}
    fields = {"boot": "0" * 16, "number": n}
    store.write([Point("agent", tags, fields, n * 100 + k) for k in range(100)])
    print(n, flush=True)
"""


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    argv = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 20:
            pass
        writer.send_signal(signal.SIGKILL)
        told = [20, *map(int, writer.stdout.read().split())]
    with SqliteStore(path) as store:
        numbers = [point.fields["number"] for point in store.read("agent", 0, 2**62)]
        store.write([agent(2**62)])
    # Whole batches, each once, and all that were reported as written.
    assert len(numbers) % 100 == 0
    assert len(numbers) >= (told[-1] + 1) * 100
    assert numbers == [n // 100 for n in range(len(numbers))]


_READER = """
import sqlite3, sys
with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as db:
    print(db.execute("SELECT count(*) FROM agent").fetchone()[0])
"""


def test_another_process_reads_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    argv = [sys.executable, "-c", _READER, str(path)]
    with SqliteStore(path) as store:
        store.write([agent(n) for n in range(10)])
        reader = subprocess.run(argv, capture_output=True, text=True, check=False)
        store.write([agent(n) for n in range(10, 20)])
    assert reader.stdout.strip() == "10", reader.stderr


def test_a_locked_file_is_unavailable_and_the_write_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.store.sqlite._BUSY_S", 0.05)
    path = tmp_path / "store.db"
    with SqliteStore(path) as store:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError):
            store.write([agent(1)])
        holder.execute("ROLLBACK")
        holder.close()
        store.write([agent(1)])
        assert len(list(store.read("agent", 0, 10))) == 1


def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with SqliteStore(path) as store:
        store.write([agent(n) for n in range(100)])
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        # SQLite's own limit on the file gives the same error as a full disk.
        store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(UnavailableError, match="full"):
            store.write([agent(n) for n in range(100, 20_000)])
        assert len(list(store.read("agent", 0, 2**62))) == 100
        store._writer.execute("PRAGMA max_page_count = 1000000")
        store.write([agent(n) for n in range(100, 20_000)])
        assert len(list(store.read("agent", 0, 2**62))) == 20_000


@pytest.mark.parametrize("content", [b"not a database, not at all" * 99, os.urandom(8192)])
def test_another_file_is_misconfigured_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(MisconfiguredError, match=r"store\.db"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_is_misconfigured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MisconfiguredError):
        SqliteStore(tmp_path / "file" / "store.db")
    with pytest.raises(MisconfiguredError):
        SqliteStore(tmp_path)


def test_flipped_pages_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with SqliteStore(path) as store:
        store.write([agent(n) for n in range(20_000)])
    raw = bytearray(path.read_bytes())
    # A fifth of the file: some of it are the table's own pages, whatever its indexes are.
    start, count = len(raw) * 2 // 5 // 4096 * 4096, len(raw) // 5 // 4096 * 4096
    raw[start : start + count] = b"\xff" * count
    path.write_bytes(raw)
    with SqliteStore(path) as store, pytest.raises(MisconfiguredError):
        list(store.read("agent", 0, 2**62))


def test_a_grown_schema_adds_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.db"
    known = schema.MEASUREMENTS["agent"]
    older = dict(known.fields)
    gone = older.pop("evidence")
    monkeypatch.setitem(schema.MEASUREMENTS, "agent", dataclasses.replace(known, fields=older))
    with SqliteStore(path) as store:
        assert gone.name not in {
            row[1] for row in store._writer.execute("PRAGMA table_info(agent)")
        }
    monkeypatch.undo()
    with SqliteStore(path) as store:
        store.write([agent(1, number=1), Point("agent", PC, {"evidence": True}, 1)])
        assert next(store.read("agent", 0, 2)).fields == {
            "boot": "0" * 16, "number": 1, "evidence": True
        }  # fmt: skip


def test_tables_of_other_tags_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE agent (time INTEGER, school TEXT, PRIMARY KEY (time, school))")
    with pytest.raises(MisconfiguredError, match="agent"):
        SqliteStore(path)


def test_opening_a_whole_file_waits_for_no_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("collector.store.sqlite._BUSY_S", 0.0)  # whoever would wait fails at once
    SqliteStore(path).close()
    with pytest.raises(UnavailableError), SqliteStore(path) as store:
        store.write([agent(1)])
    holder.close()


def test_old_telemetry_is_pruned_and_evidence_kept(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db", 90, now=lambda: NOW) as store:
        old, edge = (NOW - 90 * DAY) * NS - 1, (NOW - 90 * DAY) * NS
        test = Point("line_test", {**PC, "line": "a"}, {"outcome": "ok"}, 5)
        store.write([agent(n) for n in range(12_000)] + [agent(old), agent(edge), test])
        assert prune(store) == 12_001
        assert [point.time for point in store.read("agent", 0, 2**62)] == [edge]
        assert list(store.read("line_test", 0, 10)) == [test]
        assert prune(store) == 0


def test_writing_prunes_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.store.sqlite._PRUNE_EVERY_S", 0.0)
    with SqliteStore(tmp_path / "store.db", 90, now=lambda: NOW) as store:
        store.write([agent(1), agent(NOW * NS)])
        assert [point.time for point in store.read("agent", 0, 2**62)] == [NOW * NS]


def test_pruning_while_writing_goes_slice_by_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.store.sqlite._SLICE", 10)
    monkeypatch.setattr("collector.store.sqlite._PRUNE_AGAIN_S", 0.0)
    with SqliteStore(tmp_path / "store.db", 90, now=lambda: NOW) as store:
        store.write([agent(n) for n in range(35)])
        store._next_prune = 0.0
        left = []
        for n in range(5):
            store.write([agent(NOW * NS + n)])
            left.append(len(list(store.read("agent", 0, NOW * NS))))
    assert left == [25, 15, 5, 0, 0]


def test_a_stored_write_succeeds_even_if_the_pruning_after_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    monkeypatch.setattr("collector.store.sqlite._delete_slice", mock.Mock(side_effect=full))
    with SqliteStore(tmp_path / "s.db") as store:
        store._next_prune = 0.0
        store.write([agent(1)])
        assert list(store.read("agent", 0, 2**62)) == [agent(1)]
        store.write([agent(2)])  # not tried again at each write
        store._next_prune = 0.0
        store.write([agent(3)])
    reason = 'reason="OperationalError: database or disk is full"'
    assert caplog.messages == [f"prune_failed {reason}"], "once, with the reason"


def test_one_school_is_found_without_reading_the_others(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        for name in ("agent", "device", "machine_day"):
            sql, values = tables.select(
                schema.MEASUREMENTS[name], ["simulated"], 0, 2**62, {"school": "9963000001"}
            )
            plan = " ".join(
                row[3] for row in store._writer.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            )
            assert f"{name}_school" in plan
            assert "TEMP B-TREE" not in plan


def test_a_refused_point_is_reported_after_the_rest_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with SqliteStore(path) as store:
        with pytest.raises(RejectedError):
            store.write([agent(1), Point("nothing", {}, {"a": 1}, 1), agent(2)])
        assert count(path) == 2


def test_abandoned_reads_do_not_pile_up(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        store.write([agent(n) for n in range(100)])
        for _ in range(50):
            next(store.read("agent", 0, 2**62))
        assert len(store._idle) <= 2

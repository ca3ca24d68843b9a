"""A disk that tears, flips, fills up or closes: the outbox starts, and counts its loss."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import outbox_reserve, outbox_schema
from agent.clock import Clock
from agent.outbox import FullError, Outbox
from agent.wire import AgentHealth, LineTest, Receipt, Report, StoredRange, decode_message

MACHINE = "0123456789abcdef" * 2
NOW = 1_790_000_000_000
TEN_YEARS = 10 * 365 * 86_400_000
BIG = (AgentHealth(version="1", room="x" * 250),)
MADE = 120


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An outbox as kill -9 leaves it: the file, and a log that is not in it yet."""
    folder = tmp_path_factory.mktemp("whole")
    script = (
        "import sys, os; from pathlib import Path; from agent.clock import Clock\n"
        "from agent.outbox import Outbox; from agent.wire import AgentHealth\n"
        f"outbox = Outbox(Path(sys.argv[1]), {MACHINE!r}, Clock())\n"
        f"for n in range({MADE}): outbox.put((AgentHealth(version='1', room='x' * 250),),"
        " evidence=n % 4 == 0)\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(folder / "outbox.db")], check=False)
    assert (folder / "outbox.db-wal").stat().st_size > 0
    return folder


@pytest.fixture
def file(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to be hurt."""
    for path in whole.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path / "outbox.db"


def use(path: Path, clock: Clock | None = None) -> Outbox:
    """Start on it as an agent does: open, learn the time, put, send, take receipts."""
    clock = clock or Clock()
    outbox = Outbox(path, MACHINE, clock)
    sent = clock.mark()
    clock.hear(sent, NOW)
    outbox.put(BIG, evidence=True)
    for _ in range(MADE):
        due = outbox.due()
        for one in due:
            told = decode_message(one.payload)
            assert isinstance(told, Report)
            assert told.readings == BIG  # a flipped byte is counted as a loss, never told
            run = StoredRange(one.boot, one.number, one.number)
            outbox.receipt(Receipt(v=1, now=NOW, stored=(run,)))
        if not outbox.counts().rows:
            break
    return outbox


def sound(outbox: Outbox, most: int = MADE + 1) -> None:
    """All was sent; and nothing vanished without being counted, as far as the file can tell."""
    counts = outbox.counts()
    assert counts.rows == 0
    outbox.close()
    assert counts.lost <= most


@pytest.mark.parametrize("part", ["outbox.db", "outbox.db-wal"])
def test_a_torn_tail(file: Path, part: str, tmp_path: Path) -> None:
    whole = (file.parent / part).read_bytes()
    rng = random.Random(part)
    for cut in [0, 1, 100, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(20))]:
        folder = tmp_path / f"{cut}"
        folder.mkdir(exist_ok=True)
        for name in ("outbox.db", "outbox.db-wal"):
            shutil.copy(file.parent / name, folder)
        with (folder / part).open("r+b") as torn:
            torn.truncate(cut)
        sound(use(folder / "outbox.db"))


def test_a_flipped_byte_anywhere(file: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    rng = random.Random(7)
    for n in range(100):
        at = rng.randrange(len(whole)) if n >= 20 else n * 5  # the header too
        folder = tmp_path / f"flip-{n}"
        folder.mkdir()
        hurt = bytearray(whole)
        hurt[at] ^= 1 << rng.randrange(8)
        (folder / "outbox.db").write_bytes(hurt)
        sound(use(folder / "outbox.db"))


@pytest.mark.parametrize("column", ["readings", "sealed"])
def test_a_byte_flipped_inside_a_payload_is_a_loss_and_no_reading(
    tmp_path: Path, column: str
) -> None:
    """It parses as well as before, and says 1250 times as much."""
    outbox = Outbox(tmp_path / "outbox.db", MACHINE, Clock())
    clock = outbox._clock
    clock.hear(clock.mark(), NOW)
    outbox.put((LineTest(test="t1", line="主线", outcome="ok", down_mbps=10.25),), evidence=True)
    outbox.put(BIG)
    if column == "sealed":
        assert len(outbox.due()) == 2
    with sqlite3.connect(outbox.path) as db:
        found = db.execute(
            f"UPDATE report SET {column} = CAST(replace(CAST({column} AS TEXT), '10.25', '99.25')"
            " AS BLOB) WHERE number = 2"
        )
        assert found.rowcount == 1
    outbox.reconnected()
    assert [one.number for one in outbox.due()] == [3]
    counts = outbox.counts()
    assert (counts.rows, counts.lost) == (1, 1)
    with sqlite3.connect(outbox.path) as db:
        assert db.execute("SELECT number, machine FROM aside").fetchall() == [(2, "damaged")]
    outbox.close()


@pytest.mark.parametrize("column", ["boot", "number", "evidence", "elapsed", "wall", "guess"])
def test_nor_does_what_stands_beside_the_payload_change_unseen(tmp_path: Path, column: str) -> None:
    outbox = Outbox(tmp_path / "outbox.db", MACHINE, Clock())
    clock = outbox._clock
    clock.hear(clock.mark(), NOW)
    outbox.put(BIG)
    with sqlite3.connect(outbox.path) as db:
        new = "'0000000000000000'" if column == "boot" else f"coalesce({column}, 0) + 1"
        db.execute(f"UPDATE report SET {column} = {new}")
    assert outbox.due() == []
    assert outbox.counts().lost == 1
    outbox.close()


OLD = Path(__file__).parents[1] / "gold/outbox/v0.sql"


def older(path: Path) -> None:
    """A file as the agent before the checksums left it: one kept, two sent, two not yet."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(OLD.read_text())


def test_an_older_agents_outbox_is_taken_over_whole(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    older(path)
    outbox = Outbox(path, MACHINE, Clock())
    assert outbox.damaged is None
    boot = "f52947df9a383151"
    assert outbox.waiting() == [(boot, number) for number in (4, 5, 6, 7)]
    clock = outbox._clock
    clock.hear(clock.mark(), NOW)
    sent = {one.number: one.payload for one in outbox.due()}
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(OLD.read_text())
        for number in (4, 5):  # byte for byte as they were first sent
            (sealed,) = db.execute(
                "SELECT sealed FROM report WHERE number = ?", (number,)
            ).fetchone()
            assert sent[number] == sealed
    outbox.receipt(Receipt(v=1, now=NOW, stored=(StoredRange(boot, 2, 7),)))
    assert outbox.counts() == (0, 0, 0, 0, 0, 0, 0)
    outbox.receipt(Receipt(v=1, now=NOW, again_since=0))
    assert {one.number for one in outbox.due()} == {2, 4}  # backups, the old one too
    outbox.close()
    again = Outbox(path, MACHINE, Clock())
    assert again.damaged is None
    again.close()


def test_a_damaged_file_of_an_older_agent_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    older(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("DROP INDEX report_retry")
        db.commit()
        db.execute("CREATE TABLE strange (x)")
    outbox = Outbox(path, MACHINE, Clock())
    assert outbox.damaged is not None
    assert [number for _, number in outbox.waiting()] == [4, 5, 6, 7]
    assert outbox.counts().lost == 0
    outbox.close()


def test_an_upgrade_cut_short_is_done_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outbox.db"
    older(path)
    steps = (*outbox_schema._UPGRADES[0][:-1], "SELECT no_such_function()")
    with monkeypatch.context() as broken:
        broken.setattr(outbox_schema, "_UPGRADES", (steps,))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            with pytest.raises(sqlite3.OperationalError):
                outbox_schema.prepare(db)
            assert db.execute("PRAGMA user_version").fetchone() == (0,)
    outbox = Outbox(path, MACHINE, Clock())
    assert outbox.damaged is None
    assert outbox.counts().rows == 4
    outbox.close()


def test_an_older_outbox_on_a_full_disk(disk: Path) -> None:
    """The room kept back is what the upgrade needs."""
    path = disk / "outbox.db"
    older(path)
    outbox_reserve.keep(path)
    with contextlib.suppress(OSError), (disk / "others").open("wb") as others:
        while True:
            others.write(b"x" * 4096)
            others.flush()
    outbox = Outbox(path, MACHINE, Clock())
    assert outbox.damaged is None
    assert outbox.counts().rows == 4
    outbox.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    where = tmp_path / "disk"
    where.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)]
    if os.geteuid() != 0 or subprocess.run(argv, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small disk")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def test_a_full_disk_in_use_and_at_the_start(disk: Path) -> None:
    path = disk / "outbox.db"
    outbox = Outbox(path, MACHINE, Clock())
    made = refused = 0
    for n in range(3000):
        if n == 300:
            with contextlib.suppress(OSError), (disk / "others").open("wb") as others:
                while True:
                    others.write(b"x" * 4096)
                    others.flush()
        try:
            outbox.put(BIG, evidence=n % 4 == 0)
            made += 1
        except FullError:
            refused += 1
    counts = outbox.counts()
    assert counts.dropped_telemetry + counts.dropped_evidence > 0
    assert counts.rows + counts.dropped_telemetry + counts.dropped_evidence == made + refused
    outbox.close()
    again = Outbox(path, MACHINE, Clock())  # on a disk still full
    assert again.counts().rows == counts.rows
    again.close()
    (disk / "others").unlink()
    sound(use(path))


def test_a_disk_that_became_read_only_is_named_and_serves_again_when_it_opens(disk: Path) -> None:
    path = disk / "outbox.db"
    outbox = Outbox(path, MACHINE, Clock())
    outbox.put(BIG, evidence=True)
    outbox.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises((sqlite3.Error, OSError), match=r"(?i)read-?only|unable to open"):
        Outbox(path, MACHINE, Clock())
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    again = Outbox(path, MACHINE, Clock())
    assert again.counts().rows == 1
    assert again.damaged is None
    again.close()
    sound(use(path))


def test_a_clock_set_back_ten_years_while_running_and_between_starts(tmp_path: Path) -> None:
    wall: list[int] = [NOW]
    elapsed: list[int] = [0]
    path = tmp_path / "outbox.db"

    def clock() -> Clock:
        return Clock(lambda: wall[0], lambda: elapsed[0])

    first = clock()
    outbox = Outbox(path, MACHINE, first)
    first.hear(first.mark(), NOW)
    outbox.put(BIG, evidence=True)
    wall[0] -= TEN_YEARS
    elapsed[0] += 1000
    outbox.put(BIG, evidence=True)
    sealed = [decode_message(one.payload) for one in outbox.due()]
    times = [one.time for one in sealed if isinstance(one, Report)]
    assert times == [NOW, NOW + 1000]
    assert not any(one.uncertain for one in sealed if isinstance(one, Report))
    outbox.put(BIG, evidence=True)
    outbox.close()
    elapsed[0] = 5  # another start of the PC
    again: Any = use(path, clock())
    sound(again)

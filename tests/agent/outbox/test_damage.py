"""A file that is torn, flipped or broken: the outbox starts, and counts its loss."""

from __future__ import annotations

import contextlib
import functools
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from agent.clock import Clock
from agent.outbox import FullError, Outbox, salvage
from agent.outbox import file as outbox_file
from agent.wire import Receipt
from outbox_cases import BIG, MACHINE, MADE, NOW, sound, use


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


PAGE = 4096


def one_file(file: Path) -> bytes:
    """The outbox with its log in it."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.read_bytes()


def broken(folder: Path, whole: bytes, page: int) -> Path:
    """A copy whose page of that number, from 1, is garbage."""
    folder.mkdir()
    at = (page - 1) * PAGE
    (folder / "outbox.db").write_bytes(whole[:at] + b"\xff" * 100 + whole[at + 100 :])
    return folder / "outbox.db"


def root_of(file: Path, name: str) -> int:
    with contextlib.closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return int(found[0])


def test_a_bad_page_costs_its_own_rows_and_each_is_counted(file: Path, tmp_path: Path) -> None:
    whole, root, blind = one_file(file), root_of(file, "report"), 0
    for page in range(1, len(whole) // PAGE + 1):
        outbox = Outbox(broken(tmp_path / f"page-{page}", whole, page), MACHINE, Clock())
        counts = outbox.counts()
        outbox.close()
        if (counts.rows, counts.lost) == (0, 1):  # a page of the schema: nothing tells how many
            blind += 1
            continue
        assert counts.rows + counts.lost == MADE, page
        assert counts.rows >= MADE - 15 or page == root, page
    assert blind <= 3


def test_an_id_gone_wild_does_not_keep_the_agent_from_starting(file: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("UPDATE sqlite_sequence SET seq = 1 << 62")
    path = broken(tmp_path / "hurt", one_file(file), 15)
    sound(use(path))


class _PowerCutError(BaseException):
    """The PC is cut at the wall."""


@pytest.mark.parametrize("byte", [b"1", b"\xb0"])
@pytest.mark.parametrize("name", ["machine", "lost", "again_since", "lived"])
def test_a_flipped_byte_in_what_the_file_remembers(
    file: Path, tmp_path: Path, name: str, byte: bytes
) -> None:
    """The machine's own id above all: its reports are no other PC's for that."""
    Outbox(file, MACHINE, Clock()).close()
    value = {"machine": MACHINE.encode()[1:]}.get(name, b"7")
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("INSERT OR REPLACE INTO fact VALUES (?, CAST(? AS TEXT))", (name, byte + value))
    outbox = use(file)
    assert outbox.counts().set_aside == 0
    outbox.receipt(Receipt(v=1, now=NOW, again_since=NOW))
    outbox.close()


def test_another_id_is_another_pc(file: Path) -> None:
    outbox = Outbox(file, "ff" + MACHINE[2:], Clock())
    assert outbox.counts().set_aside == MADE
    outbox.close()


@pytest.mark.parametrize("at", [18, 19])  # the version that may write, and that may read
def test_a_flipped_byte_in_the_version_of_the_file(
    file: Path, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    Outbox(file, MACHINE, Clock()).close()
    found = bytearray(file.read_bytes())
    found[at] ^= 4
    file.write_bytes(found)
    outbox = use(file)
    assert outbox.damaged is not None
    (line,) = caplog.messages
    assert line.startswith(f"outbox_damaged moved_to={outbox.damaged} ")
    assert ' reason="' in line
    outbox.close()


def test_garbled_sql_of_a_neighbour_costs_no_report(file: Path) -> None:
    Outbox(file, MACHINE, Clock()).close()
    found = file.read_bytes()
    trigger = b"CREATE TRIGGER aside_INSERT_new"
    assert trigger in found
    file.write_bytes(found.replace(trigger, b"CREATE TRIGGES aside_INSERT_new"))
    outbox = Outbox(file, MACHINE, Clock())
    assert outbox.damaged is not None
    assert (outbox.counts().rows, outbox.counts().lost) == (MADE, 0)
    outbox.close()


def test_a_power_cut_during_the_salvage_loses_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = one_file(file)
    found = []
    for at in range(100):
        path = broken(tmp_path / f"cut-{at}", whole, 15)
        left = iter(range(at))

        def step(done: Callable[..., Any], left: Iterator[int], *words: Any, **more: Any) -> Any:
            if next(left, None) is None:
                raise _PowerCutError
            return done(*words, **more)

        with monkeypatch.context() as patch:
            for owner, name in ((Path, "replace"), (Path, "unlink"), (salvage, "_copy_row")):
                hurt = functools.partial(step, getattr(owner, name), left)
                patch.setattr(owner, name, lambda *words, hurt=hurt, **more: hurt(*words, **more))
            with contextlib.suppress(_PowerCutError):
                Outbox(path, MACHINE, Clock()).close()
        outbox = Outbox(path, MACHINE, Clock())
        counts = outbox.counts()
        outbox.close()
        found.append((counts.rows, counts.lost))
    assert len(set(found)) == 1, found
    assert sum(found[0]) == MADE


def test_a_damage_that_the_disk_lets_nobody_mend_is_mended_later(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    outbox = Outbox(file, MACHINE, clock)
    clock.on_echo(clock.mark(), NOW)
    garbled = sqlite3.DatabaseError("malformed")
    garbled.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    full = sqlite3.OperationalError("full")
    full.sqlite_errorcode = sqlite3.SQLITE_READONLY
    with monkeypatch.context() as patch:
        patch.setattr(outbox_file, "open_file", mock.Mock(side_effect=full))
        with pytest.raises(sqlite3.OperationalError):
            outbox.repair(garbled)
        with pytest.raises(FullError):
            outbox.put(BIG)
    outbox.put(BIG)
    counts = outbox.counts()
    assert (counts.rows, counts.dropped_telemetry) == (MADE + 1, 1)
    outbox.close()

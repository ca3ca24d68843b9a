"""A file that is torn, another PC's or no outbox: set aside or repaired, the loss counted."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.wire import AgentHealth, Receipt
from outbox_cases import MACHINE, NOW, READING, opened, stored

OTHER = "fedcba9876543210" * 2


def test_a_cloned_outbox_is_set_aside(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(3):
        outbox.put(READING, evidence=True)
    outbox.due()
    outbox.receipt(stored(outbox, 2, 2))
    outbox.close()
    clone = opened(tmp_path, pc, OTHER)
    assert clone.counts().set_aside == 2  # the third was receipted
    assert clone.due() == []
    assert clone.counts().rows == 0
    clone.receipt(Receipt(v=1, now=NOW, again_since=0))
    assert clone.due() == []
    clone.close()
    assert opened(tmp_path, pc, OTHER).counts().set_aside == 2


def test_readings_the_disk_changed_are_counted_as_lost(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    for _ in range(3):
        outbox.put(READING)
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.execute("UPDATE report SET readings = x'00ff' WHERE number = 3")
    pc.learns_time()
    assert [one.number for one in outbox.due()] == [2, 4]
    assert outbox.counts().lost == 1


@pytest.mark.parametrize("junk", [b"", b"this is no database" * 500, b"SQLite format 3\0" * 300])
def test_a_file_that_is_no_outbox_is_moved_aside(tmp_path: Path, pc: Any, junk: bytes) -> None:
    (tmp_path / "outbox.db").write_bytes(junk)
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    assert outbox.counts().rows == 1
    if junk:
        assert outbox.damaged is not None
        assert outbox.damaged.read_bytes() == junk
        assert outbox.counts().lost >= 1


def test_a_damaged_page_costs_only_its_own_rows(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    big = (AgentHealth(version="1", room="x" * 250),)
    for _ in range(400):
        outbox.put(big, evidence=True)
    outbox.close()
    path = tmp_path / "outbox.db"
    whole = bytearray(path.read_bytes())
    middle = whole.index(b"x" * 250, len(whole) // 2) // 4096 * 4096  # a page of rows
    whole[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(whole)
    again = opened(tmp_path, pc)
    assert again.damaged is not None
    counts = again.counts()
    assert counts.rows > 300
    assert counts.rows + counts.lost >= 400
    assert counts.lost >= 1
    again.put(READING)
    pc.learns_time()
    assert again.due()


def test_damage_while_running_is_repaired(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    for _ in range(50):
        outbox.put(READING)
    outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "outbox.db"
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
    outbox._db.execute("PRAGMA shrink_memory")
    outbox.put(READING)
    assert outbox.damaged is not None
    assert outbox.counts().rows >= 1


_PUT = """
import sys
from pathlib import Path
from agent.clock import Clock
from agent.outbox import Outbox
from agent.wire import AgentHealth
outbox = Outbox(Path(sys.argv[1]), sys.argv[2], Clock())
while True:
    print(outbox.boot, outbox.put((AgentHealth(version="1"),), evidence=True), flush=True)
"""


def test_kill_9_while_putting_loses_nothing_that_was_put(tmp_path: Path, pc: Any) -> None:
    path = tmp_path / "outbox.db"
    said: set[tuple[str, int]] = set()
    for lines in (1, 40, 90):
        process = subprocess.Popen(
            [sys.executable, "-c", _PUT, str(path), MACHINE], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(lines):
            boot, number = process.stdout.readline().split()
            said.add((boot, int(number)))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        whole = [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        said |= {(boot, int(number)) for boot, number in whole}
    outbox = opened(tmp_path, pc)
    assert outbox.damaged is None
    assert said <= set(outbox.waiting())
    assert len(outbox.waiting()) - len(said) <= 3  # put, and killed before saying so

"""The outbox's rows: their sums show a flipped byte, and an older agent's are taken over."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from agent.clock import Clock
from agent.outbox import Outbox, reserve, schema
from agent.wire import AgentHealth, LineTest, Receipt, StoredRange

MACHINE = "0123456789abcdef" * 2
NOW = 1_790_000_000_000
BIG = (AgentHealth(version="1", room="x" * 250),)


@pytest.mark.parametrize("column", ["readings", "sealed"])
def test_a_byte_flipped_inside_a_payload_is_a_loss_and_no_reading(
    tmp_path: Path, column: str
) -> None:
    """It parses as well as before, and says 1250 times as much."""
    outbox = Outbox(tmp_path / "outbox.db", MACHINE, Clock())
    clock = outbox._clock
    clock.on_echo(clock.mark(), NOW)
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
    clock.on_echo(clock.mark(), NOW)
    outbox.put(BIG)
    with sqlite3.connect(outbox.path) as db:
        new = "'0000000000000000'" if column == "boot" else f"coalesce({column}, 0) + 1"
        db.execute(f"UPDATE report SET {column} = {new}")
    assert outbox.due() == []
    assert outbox.counts().lost == 1
    outbox.close()


OLD = Path(__file__).parents[2] / "gold/outbox/v0.sql"


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
    clock.on_echo(clock.mark(), NOW)
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
    step = schema._UPGRADES[0] + "SELECT no_such_function();"
    with monkeypatch.context() as broken:
        broken.setattr(schema, "_UPGRADES", (step,))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            with pytest.raises(sqlite3.OperationalError):
                schema.prepare(db)
            assert db.execute("PRAGMA user_version").fetchone() == (0,)
    outbox = Outbox(path, MACHINE, Clock())
    assert outbox.damaged is None
    assert outbox.counts().rows == 4
    outbox.close()


def test_an_older_outbox_on_a_full_disk(disk: Path) -> None:
    """The room kept back is what the upgrade needs."""
    path = disk / "outbox.db"
    older(path)
    reserve.create(path)
    with contextlib.suppress(OSError), (disk / "others").open("wb") as others:
        while True:
            others.write(b"x" * 4096)
            others.flush()
    outbox = Outbox(path, MACHINE, Clock())
    assert outbox.damaged is None
    assert outbox.counts().rows == 4
    outbox.close()

"""Checkpoints that no longer fit, or are broken, cost a derivation and nothing else."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.keeper import checkpoints, saved
from collector.keeper.checkpoints import FILE
from collector.keeper.midnight import midnight
from collector.store.base import Point, Store

from .checkpointed import resumed, save, saved_day, started
from .conftest import DAY, SCHOOL, MakePoints
from .passes import keeper, pass_over, projector, register, stores

pytestmark = pytest.mark.usefixtures("saved_once")


def test_what_the_store_lost_or_got_meanwhile_is_noticed(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    def gone(store: Store, name: str, at: str) -> None:
        store.delete(name, make.time(at), make.time(at) + 10**9, {"school": SCHOOL})

    changes = {
        "none": lambda _: None,
        "a report": lambda store: gone(store, "agent", "10:05"),
        "a row": lambda store: store.delete("machine_day", 0, 2**62, {"school": SCHOOL}),
        "a device's row": lambda store: store.delete("device_day", 0, 2**62, {"school": SCHOOL}),
        "an old report": lambda store: store.write([make.agent(1, "10:07")]),
    }
    for n, (name, change) in enumerate(changes.items()):
        with stores(1) as (store,):
            folder = tmp_path / f"{n}"
            due = saved_day(store, folder, make)
            store.write(projector(make, "10:50", DAY, present=False))
            whole.clear()
            change(store)
            with started(store, folder) as one:
                pass_over(one, {(SCHOOL, 0): due})
            assert len(whole) == (name != "none"), name


def test_another_register_program_or_keeper_derives_whole(
    tmp_path: Path, make: MakePoints, whole: list[dt.date], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_program(_: Store) -> None:
        monkeypatch.setattr(saved, "_program", lambda: b"x" * 16)

    def other_keeper(store: Store) -> None:
        pass_over(keeper(store), {(SCHOOL, 0): 0})
        store.write([Point("collector", {}, {"keeper": "1/1 beef"}, midnight(DAY) + 10**18)])

    cases = [(None, other_program), (register(bound_to="6-2"), None), (None, other_keeper)]
    for n, (known, change) in enumerate(cases):
        with stores(1) as (store,), monkeypatch.context():
            due = saved_day(store, tmp_path / f"{n}", make)
            if change is not None:
                change(store)
            store.write(projector(make, "10:50", DAY, present=False))
            whole.clear()
            with started(store, tmp_path / f"{n}", known) as one:
                pass_over(one, {(SCHOOL, 0): due})
            assert whole == [DAY], n


@pytest.mark.parametrize("harm", ["flipped", "cut", "no database"])
def test_a_broken_file_costs_time_alone(
    tmp_path: Path, make: MakePoints, whole: list[dt.date], harm: str
) -> None:
    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        path = tmp_path / FILE
        if harm == "no database":
            path.write_bytes(b"no database" * 1000)
        else:
            with closing(sqlite3.connect(path)) as db, db:
                (state,) = db.execute("SELECT state FROM days").fetchone()
                other = bytearray(state[: len(state) // 2] if harm == "cut" else state)
                other[len(other) // 3] ^= 4
                db.execute("UPDATE days SET state = ?", (bytes(other),))
        store.write(projector(make, "10:50", DAY, present=False))
        whole.clear()
        resumed(store, tmp_path, due)
        assert whole == [DAY, DAY], (
            "by the one that started, and by the one that it is compared with"
        )


def test_a_file_that_lay_for_long_says_nothing(
    tmp_path: Path, make: MakePoints, whole: list[dt.date]
) -> None:
    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
            db.execute("UPDATE owner SET at = at - 3000")
        store.write(projector(make, "10:50", DAY, present=False))
        whole.clear()
        resumed(store, tmp_path, due)
        assert whole == [DAY, DAY], (
            "by the one that started, and by the one that it is compared with"
        )


def test_a_file_that_cannot_be_made_again_holds_nothing_up(
    tmp_path: Path, make: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with stores(1) as (store,):
        due = saved_day(store, tmp_path, make)
        monkeypatch.setattr(checkpoints, "open_file", full)
        store.write(projector(make, "10:50", DAY, present=False))
        resumed(store, tmp_path, due)
        monkeypatch.undo()
        with started(store, tmp_path) as one:
            pass_over(one, {(SCHOOL, 0): due})
            save(one)
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            assert db.execute("SELECT count(*) FROM days").fetchone() == (1,)

"""A school's data folder with rows to be removed, and the command that removes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.common.calendar import CITY_TIME, midnight_ns
from collector import cli
from collector.commands.evidence.removals import FILE as REMOVALS
from collector.commands.evidence.removals import Removals
from collector.config import Config
from collector.service.pipeline.pending_days import FILE as DAYS
from collector.service.pipeline.pending_days import PendingDays
from collector.store.base import Point, Store, Value
from collector.store.factory import open_store
from one_school import SCHOOL, settled_folder

OTHER, DISTRICT = "9900000002", "630102"
PC, FORGED = "ab" * 16, "cd" * 16
TODAY = dt.datetime.now(CITY_TIME).date()
ALL = (-(2**63), 2**63 - 1)


def day(ago: int) -> int:
    return midnight_ns(TODAY - dt.timedelta(days=ago))


def agent(ago: int, machine: str = PC, school: str = SCHOOL, at: int = 1, **more: Value) -> Point:
    fields: dict[str, Value] = {"boot": "0" * 16, "number": at + 2, **more}
    return Point("agent", {"school": school, "machine": machine}, fields, day(ago) + at)


def machine_day(ago: int, machine: str = PC, **more: Value) -> Point:
    tags = {"school": SCHOOL, "district": DISTRICT, "machine": machine}
    return Point("machine_day", tags, {"seen": True, "reports": 1, **more}, day(ago))


def room_day(ago: int, **more: Value) -> Point:
    tags = {"school": SCHOOL, "district": DISTRICT, "room": "6-1"}
    return Point("room_day", tags, {"pcs": 2, **more}, day(ago))


def line_test(ago: int, line: str, machine: str = PC) -> Point:
    tags = {"school": SCHOOL, "machine": machine, "line": line}
    return Point("line_test", tags, {"outcome": "ok", "test": f"{ago}"}, day(ago) + 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return settled_folder(tmp_path)


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with open_store(Config(data=str(folder))) as opened:
        yield opened


def ask(folder: Path, *words: str) -> int:
    argv = ["schoolpulse", *words, "--config", str(folder.parent / "c.toml")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", argv)
        return cli.main()


def remove(folder: Path, *where: str, more: tuple[str, ...] = ("--yes",)) -> int:
    words = ("--school", SCHOOL, "--where", *where, "--why", "伪造")
    return ask(folder, "evidence", "remove", *words, *more)


def everything(store: Store) -> list[Point]:
    names = ("agent", "machine_day", "room_day", "line_test", "school_day", "indicator")
    return [point for name in names for point in store.read(name, *ALL)]


def unfinished(folder: Path) -> list[bool]:
    removals = Removals(folder / REMOVALS)
    found = [row["done_ms"] is None for row in removals.rows()]
    removals.close()
    return found


def marked_days(folder: Path) -> set[dt.date]:
    pending = PendingDays(folder / DAYS)
    found = {key[1] if isinstance(key, tuple) else key for key in pending.take()}
    pending.close()
    return found

"""A school's classrooms and what their PCs reported, for the commands of IT staff."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import main
from agent.wire import device_id
from collector.cli import COMMANDS
from collector.config import Config
from collector.ingest import day_of
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.register import (
    COMPUTER_ROOM,
    Equipment,
    Machine,
    Register,
    Room,
    School,
)
from collector.roster.rows import rows_of
from collector.store.base import Point
from collector.store.factory import open_store

SCHOOL = "9900000001"
MINUTE = 60_000
PC, OTHER, LAB = (f"{n:032x}" for n in (1, 2, 3))
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A register with two classrooms and a lab."""
    rooms = [("301", "普通教室", None), ("302", "普通教室", None), ("机房", COMPUTER_ROOM, 40)]
    register = Register(
        {SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
        rooms=[Room(SCHOOL, "本部", room, room, kind, seats) for room, kind, seats in rooms],
        equipment=[
            Equipment(SCHOOL, "301", "projector", 1, "X4QF0001"),
            Equipment(SCHOOL, "301", "document_camera", 1),
            Equipment(SCHOOL, "302", "panel", 1),
        ],
        machines=[Machine(SCHOOL, "301", "C301-*"), Machine(SCHOOL, "302", OTHER)],
    )
    folder = tmp_path / "data"
    RegisterBook(folder / "register.db").import_rows(rows_of(register), who="test")
    (tmp_path / "collector.toml").write_text(f'data = "{folder}"\n')
    return folder


@pytest.fixture
def run(city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def _run(*words: str) -> tuple[int, str]:
        argv = [*words, "--config", str(tmp_path / "collector.toml")]
        code = main("schoolpulse", COMMANDS, argv)
        seen = capsys.readouterr()
        return code, seen.out + seen.err

    return _run


class Seen:
    """Reports of PCs, minutes ago, and the days that the keeper makes of them."""

    def __init__(self, folder: Path) -> None:
        self.config, self.book = Config(data=str(folder)), RegisterBook(folder / "register.db")
        self.points: list[Point] = []
        self.now_ms = time.time_ns() // 1_000_000

    def report(self, machine: str, ago: float, *devices: dict[str, Any], **agent: Any) -> None:
        at = (self.now_ms - int(ago * MINUTE)) * 10**6
        tags = {"school": SCHOOL, "machine": machine}
        told = {"boot": "b", "number": 2, "weak_id": False, "probes": "displays,cameras", **agent}
        hostname = told.pop("hostname", "")
        self.points.append(Point("agent", tags, told, at))
        if hostname:
            self.points.append(Point("host", tags, {"hostname": hostname}, at))
        for device in devices:
            fields = {"present": True, "fault": "", "power": "on", **device}
            kind = fields.pop("kind")
            ident = device_id(machine, kind, fields["connector"])
            self.points.append(Point("device", {**tags, "kind": kind, "device": ident}, fields, at))

    def derive(self) -> None:
        with open_store(self.config) as store:
            store.write(self.points)
            days = {day_of(point.time // 10**6) for point in self.points}
            keeper = Keeper(store, self.book.load, self.config.figure, self.config.city)
            keeper.derive(days)


PROJECTOR = {"kind": "projector", "connector": "HDMI-A-1", "maker": "SEC", "model": "SEC1C02",
             "serial": "X4QF0001"}  # fmt: skip


PANEL = {"kind": "display", "connector": "HDMI-A-1", "model": "CVT3000"}


@pytest.fixture
def seen(city: Path) -> Seen:
    return Seen(city)

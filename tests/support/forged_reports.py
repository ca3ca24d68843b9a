"""What PCs of the forged school send: honest reports, and the parts of made-up ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from collector.service.pipeline.inbox import Message
from forged_city import CLASSES, SEATS, City, at, pc

DAY = 86_400_000
PROJECTOR = {
    "kind": "projector", "connector": "HDMI-1", "maker": "EPS", "model": "CB-X06", "name": "EPSON",
}  # fmt: skip


@pytest.fixture
def city(tmp_path: Path, capsys: Any) -> Iterator[City]:
    made = City(tmp_path, capsys)
    yield made
    made.close()


def health(room: str, **more: Any) -> wire.AgentHealth:
    return wire.AgentHealth("0.2.0", room=room, probes=("displays", "sound"), **more)


def projector(n: int, **more: Any) -> wire.Device:
    return wire.Device(**PROJECTOR, serial=f"X{n:06}", serial_number=f"{n}", year=2020, **more)


def named(name: str, received: int | None = None) -> wire.Host:
    nics = (wire.Nic("eth0", True, "wired", 1000.0, 1, received),) if received else ()
    return wire.Host(inventory=wire.Inventory(hostname=name), nics=nics)


def honest(city: City, days: tuple[dt.date, ...], labs: int = SEATS) -> list[Message]:
    """A school that is what its register says: the PCs of three rooms and of the lab."""
    told = []
    for d, day in enumerate(days):
        for n, room in enumerate(CLASSES):
            for clock in (f"08:0{n}:1{d % 10}.{137 + 211 * n}", f"11:0{n}:31.{401 + 97 * n + d}"):
                readings = (named(f"PC-{room}", 10**6 + 7919 * n + d), health(room), projector(n))
                told.append(city.message(pc(n + 1), at(day, clock), *readings))
        for n in range(labs):
            for clock in (f"09:{n:02}:{(n * 7) % 60:02}.{(n * 331 + d) % 1000:03}", "09:50:00"):
                time = at(day, clock) + n * 1_713
                readings = (named(f"LAB-{n}", 10**7 + 104_729 * n + d), health("lab"))
                told.append(city.message(pc(100 + n), time, *readings))
    return told

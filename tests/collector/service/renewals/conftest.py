"""A collector's renewals: their files, what it publishes, and hellos to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import wire
from collector.enrol import pki
from collector.ingest import Source
from collector.service import renewals
from collector.service.renewals import Renewals

SCHOOL, OTHER = "9900000001", "9900000002"
PC = tuple(f"{number:032x}" for number in range(4))
BOOT = "0123456789abcdef"
CA = pki.new_ca(pki.new_key(), pki.dt.datetime(2026, 9, 1, tzinfo=pki.dt.UTC)).decode()


def renewal(generation: int = 2, ca: str = CA) -> wire.Renewal:
    return wire.Renewal(
        generation=generation, username=f"{SCHOOL}-{generation}", password="p" * 64,
        line_key="l" * 64, ca=ca, source_key="c" * 64,
    )  # fmt: skip


def put(folder: Path, made: wire.Renewal, school: str = SCHOOL) -> None:
    path = folder / "renewals" / f"{school}.json"
    path.parent.mkdir(exist_ok=True)
    whole = path.with_suffix(".new")
    whole.write_bytes(msgspec.json.encode(made))
    os.replace(whole, path)


class Said:
    """What was published."""

    def __init__(self) -> None:
        self.receipts: dict[str, list[wire.Renewal | None]] = {}
        self.lock = threading.Lock()

    def __call__(self, topic: str, payload: bytes) -> bool:
        with self.lock:
            self.receipts.setdefault(topic, []).append(wire.decode_receipt(payload).renewal)
        return True


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def running(tmp_path: Path, said: Said, monkeypatch: Any) -> Iterator[Renewals]:
    monkeypatch.setattr(renewals, "_EVERY_S", 0.02)
    made = Renewals(tmp_path, said)
    made.start()
    yield made
    made.stop()


def hello(found: Renewals, machine: str, credential: int, ca: str = "", boot: str = BOOT) -> Any:
    return found.answer(Source(SCHOOL, machine, boot, 1), credential, ca)

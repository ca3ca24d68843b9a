"""doctor's line about the keeper: how long the oldest report waits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from collector.config import Config
from collector.doctor.delivery import LAG_S, keeper
from collector.store.base import Point
from collector.store.factory import open_store


def note(config: Config, lag_s: float, ago_s: float = 1.0) -> None:
    with open_store(config) as store:
        at = time.time_ns() - int(ago_s * 10**9)
        store.write([Point("collector", {}, {"keeper_lag_s": lag_s}, at)])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=str(tmp_path))


def test_the_newest_note_counts(config: Config) -> None:
    note(config, LAG_S + 1, ago_s=60)
    note(config, 45.0)
    found = keeper(config)
    assert found.ok
    assert "45 s" in found.detail
    note(config, LAG_S + 1, ago_s=0)
    found = keeper(config)
    assert not found.ok
    assert f"{LAG_S + 1:,.0f} s" in found.detail
    assert "keeper_failed" in found.fix


@pytest.mark.parametrize("ago_s", [None, 3600.0])
def test_a_keeper_that_said_nothing_lately_is_no_fault(config: Config, ago_s: float | None) -> None:
    if ago_s is not None:
        note(config, LAG_S + 1, ago_s)
    found = keeper(config)
    assert found.ok
    assert "10" in found.detail


def test_a_store_that_cannot_be_read_is_said(config: Config, tmp_path: Path) -> None:
    note(config, 1.0)
    for path in tmp_path.rglob("*.db"):
        path.write_bytes(b"no database, but long enough to be taken for one" * 100)
    found = keeper(config)
    assert not found.ok
    assert "备份" in found.fix, "as of the store itself: what was there comes from a backup"

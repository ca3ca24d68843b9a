"""A city judged in several processes: the same figure, whatever becomes of the processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.compliance import parts
from collector.compliance.figure import Judge
from collector.compliance.model import Figure
from collector.config import City
from collector.config import Figure as Settings
from collector.store.base import Store, UnavailableError
from collector.store.sqlite import SqliteStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")

Judged = Callable[[int], Figure]


@pytest.fixture
def judged(
    full_town: Any, tmp_path: Path, fill: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Figure]:
    """The figure of a town by so many processors, its store opened by a function."""
    file = tmp_path / "store.db"
    full_town.saw("101", (1, 2, 3))
    full_town.saw("101", (4, 5, 6), code="9901020002")
    full_town.tested(5.0, (300,))
    with SqliteStore(file) as store:
        fill(full_town, store)
    monkeypatch.setattr(parts, "_ENOUGH", 1)

    def judge(processors: int, opened: Callable[[], Store] = lambda: SqliteStore(file)) -> Figure:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
        register, settings, day = full_town.register(), Settings(), full_town.cutoff
        judging = Judge(register, settings, City(), year=day.year, today=day)
        parts.judge_all(parts.Asked(judging, opened, register, settings))
        return judging.figure(simulated=False)

    return judge


def same(one: Figure, other: Figure) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("units", "areas", "tallies", "contract", "apart", "notes", "lines", "doubts")
    )


def test_processes_change_nothing(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = judged(1)
    assert len({unit.school for unit in alone.units}) > 1
    here, work = os.getpid(), parts._judged

    def elsewhere(*args: Any) -> Any:
        assert os.getpid() != here
        return work(*args)

    monkeypatch.setattr(parts, "_judged", elsewhere)
    assert same(judged(2), alone)


def test_a_killed_process_changes_nothing(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, here, work = judged(1), os.getpid(), parts._judged

    def killed(*args: Any) -> Any:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*args)

    monkeypatch.setattr(parts, "_judged", killed)
    assert same(judged(2), alone)
    assert multiprocessing.active_children() == [], "the other one is not asked any longer"


def test_without_room_for_a_process_this_one_judges(
    judged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = judged(1)

    def refused() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    assert same(judged(2), alone)


def test_a_store_that_fails_in_a_process_is_told_as_ever(judged: Any, tmp_path: Path) -> None:
    here = os.getpid()

    def opened() -> Store:
        if os.getpid() != here:
            raise UnavailableError("the disk is gone")
        return SqliteStore(tmp_path / "store.db")

    with pytest.raises(UnavailableError, match="the disk is gone"):
        judged(2, opened)


@given(st.lists(st.integers()), st.integers(1, 9))
def test_parts_are_all_schools_in_their_order(schools: list[Any], wanted: int) -> None:
    found = parts.split(schools, wanted)
    assert [school for part in found for school in part] == schools
    assert len(found) <= wanted
    assert all(found)

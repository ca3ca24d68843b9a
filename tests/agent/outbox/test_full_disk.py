"""A disk that fills up or closes: the outbox starts, counts its loss, and serves again."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from pathlib import Path
from unittest import mock

import pytest

import services
from agent.clock import Clock
from agent.outbox import FullError, Limits, Outbox
from outbox_cases import BIG, MACHINE, sound, use


def test_a_report_that_is_kept_is_no_lost_one_where_nothing_can_be_dropped_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path / "outbox.db", MACHINE, Clock(), limits=Limits(bytes=1000))
    woken: list[bool] = []
    outbox.on_put = lambda: woken.append(True)
    full = sqlite3.OperationalError("full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with monkeypatch.context() as patch:
        patch.setattr("agent.outbox.limits.enforce", mock.Mock(side_effect=full))
        for _ in range(5):
            outbox.put(BIG)
    counts = outbox.counts()
    assert (len(woken), counts.rows, counts.dropped_telemetry) == (5, 5, 0)
    outbox.put(BIG)
    assert outbox.counts().bytes <= 1000
    outbox.close()


def test_after_a_full_disk_the_outbox_holds_as_much_as_before(tmp_path: Path) -> None:
    elapsed = [0]
    with services.small_disk(tmp_path / "disk", "4m") as disk:
        _fill_and_free(disk, elapsed)


def _fill_and_free(disk: Path, elapsed: list[int]) -> None:
    outbox = Outbox(disk / "outbox.db", MACHINE, Clock(elapsed=lambda: elapsed[0]))
    for _ in range(300):
        outbox.put(BIG)
    services.fill(disk)
    for _ in range(600):
        with contextlib.suppress(FullError):
            outbox.put(BIG)
    before = outbox.counts()
    assert before.dropped_telemetry > 0
    (disk / "others").unlink()
    elapsed[0] += 2 * 86_400_000
    for _ in range(300):
        outbox.put(BIG)
    after = outbox.counts()
    assert after.rows == before.rows + 300
    assert after.dropped_telemetry == before.dropped_telemetry
    outbox.close()


def test_a_disk_that_filled_up_while_the_agent_was_off(disk: Path) -> None:
    path = disk / "outbox.db"
    outbox = Outbox(path, MACHINE, Clock())
    outbox.put(BIG, evidence=True)
    outbox.close()
    services.fill(disk)
    sound(use(path))


def test_a_full_disk_in_use_and_at_the_start(disk: Path) -> None:
    path = disk / "outbox.db"
    outbox = Outbox(path, MACHINE, Clock())
    made = refused = 0
    for n in range(3000):
        if n == 300:
            services.fill(disk)
        try:
            outbox.put(BIG, evidence=n % 4 == 0)
            made += 1
        except FullError:
            refused += 1
    counts = outbox.counts()
    assert counts.dropped_telemetry + counts.dropped_evidence > 0
    assert counts.rows + counts.dropped_telemetry + counts.dropped_evidence == made + refused
    outbox.close()
    again = Outbox(path, MACHINE, Clock())  # on a disk still full
    assert again.counts().rows == counts.rows
    again.close()
    (disk / "others").unlink()
    sound(use(path))


def test_a_disk_that_became_read_only_is_named_and_serves_again_when_it_opens(disk: Path) -> None:
    path = disk / "outbox.db"
    outbox = Outbox(path, MACHINE, Clock())
    outbox.put(BIG, evidence=True)
    outbox.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises((sqlite3.Error, OSError), match=r"(?i)read-?only|unable to open"):
        Outbox(path, MACHINE, Clock())
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    again = Outbox(path, MACHINE, Clock())
    assert again.counts().rows == 1
    assert again.damaged is None
    again.close()
    sound(use(path))

"""A backup made while files change, killed at any step, on a full disk."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import services
from backup_city import Place, Run
from collector.backup.container import Reader
from collector.config import Config

from .calls import Figure, points, restored, saved


def test_files_that_are_written_meanwhile_are_copied_whole(
    run: Run, place: Place, other: Place, passphrase: Path
) -> None:
    """Pairs of rows are written in one transaction each: no copy has half a pair."""
    stop, path = threading.Event(), place.data / "held.db"
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE pair (number INTEGER)")

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=60)) as base:
            number = 0
            while not stop.is_set():
                number += 1
                base.executemany("INSERT INTO pair VALUES (?)", [(number,), (number,)])
                base.commit()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        file = saved(run, place, passphrase)
    finally:
        stop.set()
        writing.join()
    assert restored(run, file, other, passphrase) == 0
    with closing(sqlite3.connect(other.data / "held.db")) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        odd = base.execute("SELECT number FROM pair GROUP BY number HAVING count(*) <> 2")
        assert odd.fetchall() == []


_KILLED = """
import os, signal, sys
from collector import cli
from collector.commands import backup

left, step = int(sys.argv.pop(1)), backup.Bar.step
def counted(self, text):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, text)
backup.Bar.step = counted
sys.exit(cli.main())
"""


def killed(at: int, *words: object) -> int:
    """`schoolpulse …`, killed at its step `at`; its exit code."""
    argv = [sys.executable, "-c", _KILLED, str(at), *map(str, words)]
    return subprocess.run(argv, check=False, capture_output=True).returncode


def test_killed_at_any_step_it_leaves_no_half_file(
    run: Run, place: Place, passphrase: Path
) -> None:
    file = place.root.parent / "killed.backup"
    words = ("backup", file, "--config", place.settings, "--passphrase-file", passphrase)
    for at in (1, 9, 20, 30):
        assert killed(at, *words) == -signal.SIGKILL
        assert not file.exists()
    assert list(file.parent.glob("*.partial*"))
    assert run(*words) == 0
    whole = file.read_bytes()
    assert killed(12, *words) == -signal.SIGKILL
    assert file.read_bytes() == whole, "the one before stays"
    assert run(*words) == 0
    assert not list(file.parent.glob("*.partial*")), "what the killed ones left is removed"


def test_killed_at_any_step_a_restore_is_run_again(
    run: Run, place: Place, other: Place, passphrase: Path, figure: Figure
) -> None:
    file, before = saved(run, place, passphrase), figure(place)
    with closing(Reader(file)) as reader:
        last = len(reader.manifest.parts)
    for at in (1, 5, last - 3, last):
        code = killed(
            at, "restore", file, "--config", other.settings, "--data", other.data,
            "--passphrase-file", passphrase,
        )  # fmt: skip
        assert code == -signal.SIGKILL
        assert not (other.data / "register.db").exists(), "no city before all of it is there"
    assert restored(run, file, other, passphrase) == 0
    assert figure(other) == before
    assert points(Config(data=str(other.data))) == points(Config(data=str(place.data)))


def test_a_full_disk_is_named_and_leaves_nothing(
    run: Run, place: Place, passphrase: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with services.small_disk(tmp_path / "disk", "200k") as disk:
        words = ("--config", place.settings, "--passphrase-file", passphrase)
        assert run("backup", disk / "b", *words) == 2
        assert "腾出空间" in capsys.readouterr().err
        assert list(disk.iterdir()) == []


def test_it_is_not_written_beside_what_it_saves(
    run: Run, place: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--config", place.settings, "--passphrase-file", passphrase)
    assert run("backup", place.data / "b", *words) == 2
    assert "别的磁盘" in capsys.readouterr().err
    shutil.rmtree(place.data)
    assert run("backup", place.root / "b", *words) == 2
    assert "没有台账" in capsys.readouterr().err

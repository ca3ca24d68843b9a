"""The keeper under the collector: started again when it dies, ended with it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from collector.service import keeper_process as module
from collector.service.keeper_process import KeeperProcess, command

PATIENCE_S = 60.0
#: Writes its number and waits for the end of its input; on SIGTERM it ends, or does not.
CHILD = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[2] == "deaf" else signal.SIG_DFL)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
while os.read(0, 1):
    pass
"""


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "backoff", lambda *_, **__: 0.0)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], tuple[KeeperProcess, Path]]]:
    made: list[KeeperProcess] = []

    def start(kind: str) -> tuple[KeeperProcess, Path]:
        file = tmp_path / kind
        one = KeeperProcess([sys.executable, "-c", CHILD, str(file), kind])
        made.append(one)
        one.start()
        until(lambda: len(pids(file)) == 1)
        return one, file

    yield start
    for one in made:
        one.stop(PATIENCE_S)


def test_one_that_is_killed_is_started_again(
    started: Callable[[str], tuple[KeeperProcess, Path]],
) -> None:
    process, file = started("polite")
    for times in range(1, 4):
        os.kill(pids(file)[-1], signal.SIGKILL)
        until(lambda times=times: len(pids(file)) == times + 1)
    assert process.alive
    process.stop(PATIENCE_S)
    assert not process.alive
    assert not any(map(runs, pids(file)))


def test_one_that_does_not_end_in_time_is_ended(
    started: Callable[[str], tuple[KeeperProcess, Path]],
) -> None:
    process, file = started("deaf")
    process.stop(0.1)
    assert not process.alive
    assert not runs(pids(file)[0])


def test_a_program_that_is_not_there_is_tried_again_until_stopped(tmp_path: Path) -> None:
    process = KeeperProcess([str(tmp_path / "none")])
    process.start()
    process.stop(PATIENCE_S)
    assert not process.alive


def test_it_ends_with_a_collector_that_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    parent = (
        "import sys, time\n"
        "from collector.service.keeper_process import KeeperProcess\n"
        f"KeeperProcess([sys.executable, '-c', {CHILD!r}, {str(file)!r}, 'deaf']).start()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent]) as collector:
        until(lambda: len(pids(file)) == 1)
        collector.kill()
    until(lambda: not runs(pids(file)[0]))


@pytest.mark.skipif(sys.platform == "win32", reason="niceness is of POSIX")
def test_it_lets_its_collector_go_first(tmp_path: Path) -> None:
    settings = tmp_path / "collector.toml"
    settings.write_text(f'data = "{tmp_path}/data"\n')
    process = KeeperProcess(command(str(settings)))
    process.start()
    try:
        until(lambda: process.pid is not None)
        keeper = psutil.Process(process.pid)
        until(lambda: keeper.nice() == min(19, psutil.Process().nice() + 10))
        assert process.alive
    finally:
        process.stop(PATIENCE_S)

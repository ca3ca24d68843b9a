"""`schoolpulse demo` as a user runs it: it ends by itself, reports correctly, leaves no process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import services
from agent.identity import identity
from collector.demo.school import CODE
from collector.store.sqlite import SqliteStore

EVER = 2**62


@contextmanager
def _demo(out: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SCHOOLPULSE_")}
    argv = [sys.executable, "-m", "collector.cli", "demo", "--out", str(out), "--schools", "7"]
    process = subprocess.Popen(
        [*argv, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _of(folder: Path) -> list[psutil.Process]:
    """Processes that still have to do with this demo."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(str(folder) in w for w in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _until(check: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "broker", ["amqtt", pytest.param("mosquitto", marks=pytest.mark.mosquitto)]
)
def test_demo_goes_from_this_machine_to_the_figure(broker: str, tmp_path: Path) -> None:
    if broker == "mosquitto":
        services.require("mosquitto")
    out = tmp_path / "demo"
    with _demo(out, "--broker", broker) as process:
        text, errors = process.communicate(timeout=400)
    assert process.returncode == 0, text + errors
    assert errors == ""
    assert text.count("✓") >= 8

    # The machine's row: its own id, its own memory, a line test over loopback.
    assert identity.identify().machine in text
    assert str(psutil.virtual_memory().total) in text
    assert re.search(r"下行 .*\d+\.\d+ Mbit/s", text)
    assert "模拟数据" in text

    report = json.loads((out / "report").glob("*.json").__next__().read_text("utf-8"))
    assert report["simulated"] is True
    assert "模拟数据" in (out / "report").glob("*.html").__next__().read_text("utf-8")

    with SqliteStore(out / "city/schoolpulse.db", 90) as store:
        mine = {"school": CODE}
        (test,) = store.read("line_test", 0, EVER, tags=mine)
        (record,) = store.read("line_record", 0, EVER, tags=mine)
        assert test.fields["test"] == record.fields["test"]
        assert not test.fields.get("simulated")
        assert not record.fields.get("simulated")
        for point in store.read("machine_day", 0, EVER):
            assert point.fields.get("simulated", False) is (point.tags["school"] != CODE)
    _until(lambda: not _of(out))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_demo_stops_everything_when_interrupted(how: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    with _demo(out, "--broker", "amqtt") as process:
        _until(lambda: (out / "logs/collector.log").exists())
        assert len(_of(out)) > 2
        process.send_signal(how)
        process.send_signal(how)  # an impatient user: the second must not cut the stopping short
        assert process.wait(240) == 130
    assert _of(out) == []


def test_demo_says_which_process_died_and_shows_its_log(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    with _demo(out, "--broker", "amqtt") as process:
        _until(lambda: (out / "logs/lineserver.log").exists())
        _until(lambda: [p for p in _of(out) if "lineserver" in p.cmdline()])
        (victim,) = (p for p in _of(out) if "lineserver" in p.cmdline())
        victim.kill()
        text, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "✗" in text
    assert "lineserver" in errors
    assert str(out / "logs") in errors
    assert _of(out) == []

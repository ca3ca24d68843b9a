"""`schoolpulse up`: pages at once, this machine's real report, data that stays, an orderly end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import services
from agent.common import command_line
from collector.cli import COMMANDS
from collector.demo import broker, school
from collector.demo.children import DemoError
from collector.demo.place import fresh, kept
from collector.demo.up import _school
from collector.roster.book import RegisterBook
from collector.store.sqlite import SqliteStore

EVER = 2**62


@contextmanager
def running(folder: Path, port: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "collector.cli", "up", "--broker", "amqtt"]
    argv += ["--data", str(folder), "--port", str(port), *more]
    environ = {**os.environ, "SCHOOLPULSE_LANG": "zh"}
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate()


def page(port: int, path: str = "/") -> str:
    try:
        asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
        asked.add_header("Accept-Language", "zh")
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, ConnectionError):
        return ""


def until(check: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while not check():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def of(folder: Path) -> list[int]:
    """Processes that still have to do with this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(str(folder) in w for w in process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def reports(folder: Path, code: str = school.CODE) -> int:
    with SqliteStore(folder / "city/schoolpulse.db", 90) as store:
        return len(list(store.read("agent", 0, EVER, tags={"school": code})))


def test_it_starts_says_what_is_missing_and_keeps_its_data(tmp_path: Path) -> None:
    folder, port = tmp_path / "here", services.free_port()
    with running(folder, port) as process:
        until(lambda: page(port), process)
        assert "还缺什么" in page(port)
        assert "导入本市学校台账" in page(port)
        until(lambda: (folder / "city/schoolpulse.db").exists() and reports(folder), process)
        assert school.NAME in page(port, "/schools")
        with SqliteStore(folder / "city/schoolpulse.db", 90) as store:
            assert not store.simulated()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert f"http://127.0.0.1:{port}" in out
    assert errors == ""
    assert of(folder) == []
    before = reports(folder)
    with running(folder, port) as process:
        until(lambda: reports(folder) > before, process)
    assert len(RegisterBook(folder / "city/register.db").history()) == 1
    with running(folder, port, "--school", "2163000001", "城东一小") as process:
        until(lambda: reports(folder, "2163000001"), process)
        assert "城东一小" in page(port, "/schools")


def test_this_machines_school_is_the_one_named_and_stays(tmp_path: Path) -> None:
    place = kept(tmp_path)
    book = RegisterBook(place.data / "register.db")
    assert _school(place, None) == school.CODE
    assert _school(place, ("2163000001", "城东一小")) == "2163000001"
    assert {code: one.name for code, one in book.load().schools.items()} == {
        "2163000001": "城东一小"
    }
    assert _school(place, None) == "2163000001"
    assert len(book.history()) == 2
    book.import_rows(school.alone("2163000002", "城东二小"), who="somebody")
    assert _school(place, ("2163000002", "别名")) == "2163000002"
    assert book.load().schools["2163000002"].name == "城东二小"
    with pytest.raises(DemoError, match="2163000001"):
        _school(place, ("2163000001", "城东一小"))


@pytest.mark.parametrize(
    ("given", "told"),
    [(("123", "城东一小"), "标识码"), (("2163000001", "无"), "名称"),
     (("2163000001", "城东一小", "--sample"), "--sample")],
)  # fmt: skip
def test_a_school_that_cannot_be_is_told(
    given: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["up", "--data", str(tmp_path / "x"), "--school", *given]
    assert command_line.main("schoolpulse", COMMANDS, argv) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_sample_city_is_marked_and_joins_nothing_real(tmp_path: Path) -> None:
    folder, port = tmp_path / "sample", services.free_port()
    with running(folder, port, "--sample") as process:
        until(lambda: "模拟数据" in page(port), process)
        until(lambda: not (folder / "city/up.json").exists() and "核实率" in page(port), process)
        assert "模拟" in page(port, "/schools")
    assert of(folder) == []
    with running(folder, port) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "--sample" in errors
    real = tmp_path / "real"
    RegisterBook(kept(real).data / "register.db").import_rows(school.alone())
    with running(real, port, "--sample") as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "--data" in errors


def test_two_do_not_run_on_one_folder_or_port(tmp_path: Path) -> None:
    port = services.free_port()
    with running(tmp_path / "one", port) as first:
        until(lambda: page(port), first)
        for folder, other, why, code in (
            (tmp_path / "two", port, f"{port}", 1),
            (tmp_path / "one", services.free_port(), "schoolpulse up", 2),
        ):
            with running(folder, other) as second:
                _, errors = second.communicate(timeout=120)
            assert second.returncode == code
            assert why in errors
        assert page(port)


def test_the_demos_folder_is_refused(tmp_path: Path) -> None:
    fresh(tmp_path / "demo")
    with pytest.raises(DemoError, match="--data"):
        kept(tmp_path / "demo")


def test_this_machines_school_claims_nothing(tmp_path: Path) -> None:
    rows = school.alone()
    assert rows.classes == ()
    assert rows.equipment == ()
    assert rows.lines[0].contract_mbps is None


def test_a_free_port_is_found_beside_a_taken_one() -> None:
    port = broker.port_from(23000)
    with socket.socket() as held:
        held.bind((broker.HOST, port))
        held.listen()
        assert broker.port_from(port) != port

"""A forged line test is no evidence, and --explain says so: real server, record and store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import wire
from agent.common.command_line import DONE, main
from agent.probes.line.probe import measure
from collector.cli import COMMANDS
from collector.ingest import Stored, decode
from collector.lineserver.server import LineServer
from collector.roster.book import RegisterBook
from collector.roster.register import Campus, Line, Register, School
from collector.roster.rows import rows_of
from collector.store.sqlite import SqliteStore

SCHOOL, MACHINE = "9901020001", "ab" * 16
YEAR = str(time.gmtime().tm_year)


@pytest.fixture
def tested() -> tuple[wire.LineTest, wire.LineRecord]:
    """A real test of the loopback, told as a wired PC would, and the server's record of it.

    Of a loopback on a busy machine the two ends see different rates, and either may be what limits
    it; of a line they do not.
    """
    records: list[wire.LineRecord] = []
    server = LineServer("127.0.0.1", 0, records.append)
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    wish: dict[str, Any] = {"school": SCHOOL, "machine": MACHINE, "line": "1"}
    found = measure(url, **wish, max_seconds=60, max_bytes=40_000_000)
    server.stop()
    assert isinstance(found, wire.LineTest)
    assert found.outcome == "ok", found.reason
    (record,) = records
    clean = {"interface": "eth0", "wired": True, "reason": "", "server_limited": False}
    rate = {"down_mbps": record.down_mbps, "other_share": 0.0}
    record = msgspec.structs.replace(record, server_limited=False)
    return msgspec.structs.replace(found, **rate, **clean), record


class City:
    """A city side on disk; what arrives goes the way of every message."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self._folder, self._capsys = folder, capsys
        self._config = folder / "collector.toml"
        self._config.write_text(f'data = "{folder}"\n')
        register = Register(
            schools={SCHOOL: School(SCHOOL, "示例", "630102", "小学", "630102")},
            campuses=(Campus(SCHOOL, "本部"),),
            lines=(Line(SCHOOL, "1", "本部", 20.0),),
        )
        RegisterBook(folder / "register.db").import_rows(rows_of(register))
        self._number = 1

    def hears(self, reading: wire.LineTest | wire.LineRecord) -> None:
        self._number += 1
        school = SCHOOL if isinstance(reading, wire.LineTest) else wire.LINESERVER
        report = wire.Report(1, time.time_ns() // 10**6, (reading, wire.AgentHealth("1")), sent=1)
        topic = f"schoolpulse/v1/{school}/{MACHINE}/report/{'0' * 16}/{self._number}"
        outcome = decode(topic, wire.encode(report), lambda code: True, time.time_ns())
        assert isinstance(outcome, Stored), outcome
        with SqliteStore(self._folder / "schoolpulse.db") as store:
            store.write(list(outcome.points))

    def explains(self) -> str:
        words = ["figure", "--config", str(self._config), "--year", YEAR, "--explain", SCHOOL]
        self._capsys.readouterr()
        assert main("schoolpulse", COMMANDS, words) == DONE
        return str(self._capsys.readouterr().out)


@pytest.fixture
def city(tmp_path: Path, capsys: Any) -> City:
    return City(tmp_path, capsys)


def test_an_honest_test_counts(city: City, tested: Any) -> None:
    test, record = tested
    city.hears(test)
    city.hears(record)
    told = city.explains()
    assert "不作为证据" not in told
    assert " 1 次" in told


def test_a_test_that_the_server_never_granted(city: City, tested: Any) -> None:
    test, _ = tested
    city.hears(msgspec.structs.replace(test, test="f" * 32))
    assert "不作为证据的测试：没有服务器记录 1 次" in city.explains()


def test_another_rate_than_the_server_saw(city: City, tested: Any) -> None:
    test, record = tested
    city.hears(msgspec.structs.replace(test, down_mbps=record.down_mbps * 1.1))
    city.hears(record)
    assert "不作为证据的测试：速率高于服务器记录的 1.08 倍 1 次" in city.explains()


def test_a_granted_id_used_for_a_second_better_test(city: City, tested: Any) -> None:
    test, record = tested
    city.hears(test)
    city.hears(msgspec.structs.replace(test, seconds=1.0))
    city.hears(record)
    assert "测试编号用了两次 1 次" in city.explains()


def test_a_record_of_the_server_cannot_come_from_a_school(city: City, tested: Any) -> None:
    _, record = tested
    report = wire.Report(1, time.time_ns() // 10**6, (record, wire.AgentHealth("1")), sent=1)
    topic = f"schoolpulse/v1/{SCHOOL}/{MACHINE}/report/{'0' * 16}/2"
    outcome = decode(topic, wire.encode(report), lambda code: True, time.time_ns())
    assert "line_record from a school" in str(outcome)

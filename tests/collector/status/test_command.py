"""`schoolpulse status`, as IT staff type it, over real stores and the files that others write."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import local_day
from agent.common.command_line import main
from collector import status
from collector.cli import COMMANDS
from collector.config import Config, load
from collector.ingest import Held, Source
from collector.keeper.midnight import MS, midnight
from collector.roster.book import RegisterBook
from collector.roster.register import Decision, Register, School
from collector.roster.rows import rows_of
from collector.service.pipeline.held_book import FILE, HeldBook
from collector.store.base import Point
from collector.store.factory import open_store

FINE, HELD, REFUSED, NEVER, OLD = (f"990000000{n}" for n in range(1, 6))
PC = "{:032x}".format
Run = Callable[..., tuple[int, str]]


@pytest.fixture(params=["sqlite", "influxdb"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """Five schools; reports of all but one are in the store."""
    folder = tmp_path / "data"
    schools = (FINE, HELD, REFUSED, NEVER, OLD)
    register = Register(
        {c: School(c, f"示例{c}小学", "630102", "小学", "630102") for c in schools},
        decisions=[Decision(OLD, PC(9), "retire")],
    )
    RegisterBook(folder / "register.db").import_rows(rows_of(register), who="test")
    RegisterBook(folder / "register.db").decide(register.decisions, who="test")
    text = f'data = "{folder}"\n'
    if request.param == "influxdb":
        server = request.getfixturevalue("influxdb")
        names = [server.create(f"{kind}_{os.urandom(4).hex()}") for kind in ("t", "e")]
        text += f'[store]\nkind = "influxdb"\nurl = "{server.url}"\n'
        text += 'telemetry = "{}"\nevidence = "{}"\n'.format(*names)
    (tmp_path / "collector.toml").write_text(text)
    settings, _ = load(str(tmp_path / "collector.toml"))
    with open_store(settings) as store:
        store.write(list(_points(time.time_ns())))
    return settings


def _points(now: int) -> Iterator[Point]:
    day = midnight(local_day(now / 10**9))
    rows = [(FINE, PC(1), "1.2.0", 0), (HELD, PC(2), "1.2.0", 0), (REFUSED, PC(3), "1.2.0", 0),
            (OLD, PC(4), "1.1.0", 0), (OLD, PC(9), "1.2.0", -3_600_000)]  # fmt: skip
    for school, machine, version, offset in rows:
        tags = {"school": school, "district": "630102", "machine": machine}
        fields = {"seen": True, "last_ms": now // MS, "version": version, "offset_ms": offset}
        yield Point("machine_day", tags, fields, day)
    for back, outcome, reason in ((2, "ok", ""), (1, "refused", "key_refused")):
        tags = {"school": REFUSED, "machine": PC(3), "line": "line1"}
        yield Point("line_test", tags, {"outcome": outcome, "reason": reason}, now - back * 10**9)


def hold(config: Config, reason: str) -> None:
    with closing(HeldBook(config.folder / FILE)) as book:
        source = Source(HELD, PC(2), "b" * 16, 2)
        book.note([Held(source, reason)], time.time_ns() // MS)


@pytest.fixture
def run(config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def _run(*words: str) -> tuple[int, str]:
        argv = ["status", *words, "--config", str(tmp_path / "collector.toml")]
        code = main("schoolpulse", COMMANDS, argv)
        seen = capsys.readouterr()
        return code, seen.out + seen.err

    return _run


def test_each_school_has_its_state_and_what_to_do(config: Config, run: Run) -> None:
    hold(config, "unknown_line")
    code, text = run()
    assert code == 0
    summary = text.splitlines()[0]
    assert summary == (
        "5 所学校：正常上报 1，报废的还在上报 1，测速被拒 1，从未上报 1，上报被暂存 1"
    )
    places = [text.index(school) for school in (HELD, NEVER, REFUSED, OLD, FINE)]
    assert places == sorted(places)
    for words in ("台账没有这条线路", "在台账登记", "测速服务器不认", "报废的还在上报 1/2",
                  "时钟不准 1/2", "版本旧 1/2", "最新 1.2.0"):  # fmt: skip
        assert words in text.replace("\n", "")


def test_problems_alone_and_the_exit_code(config: Config, run: Run) -> None:
    code, text = run("--problems")
    assert code == 1
    assert FINE not in text
    assert run("--problems", "--school", FINE)[0] == 0
    assert run("--school", OLD)[0] == 0
    code, text = run("--school", "9999999999")
    assert code == 2
    assert "9999999999" in text


def test_for_programs_and_sheets(config: Config, run: Run) -> None:
    hold(config, "simulated")
    whole = json.loads(run("--json")[1])
    assert whole["counts"]["held"] == 1
    rows = {row["school"]: row for row in whole["schools"]}
    assert rows[HELD]["findings"][0]["reasons"] == ["simulated"]
    assert [one["code"] for one in rows[OLD]["findings"]] == [
        "retired_reports", "clock_off", "old_version",
    ]  # fmt: skip
    assert rows[NEVER]["last_ms"] is None
    table = list(csv.DictReader(io.StringIO(run("--csv", "--problems")[1])))
    assert {row["学校"] for row in table} == {HELD, NEVER, REFUSED, OLD}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_fits_eighty_columns(
    config: Config, run: Run, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(config, "too_many_machines")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SCHOOLPULSE_LANG", lang)
    _, text = run("--problems")
    table = text.split("\n", 1)[1]
    wide = [sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line)
            for line in table.splitlines()]  # fmt: skip
    assert max(wide) <= 80


def test_enrolment_and_keys_where_the_city_has_them(config: Config, tmp_path: Path) -> None:
    def found() -> dict[str, list[str]]:
        return status.read(load(str(tmp_path / "collector.toml"))[0]).findings

    assert "not_enrolled" not in found()
    with closing(sqlite3.connect(config.folder / "enrol.db")) as db, db:
        db.execute("CREATE TABLE credential (school TEXT, ended_ms INTEGER)")
        given = [(FINE, None), (HELD, None), (REFUSED, 5), (NEVER, 5), (NEVER, None), (OLD, None)]
        db.executemany("INSERT INTO credential VALUES (?, ?)", given)
    assert found()["not_enrolled"] == [REFUSED]
    keys = tmp_path / "keys"
    keys.mkdir()
    for school in (FINE, HELD, NEVER):
        (keys / f"{school}.key").write_text("00")
    (keys / f"{OLD}.previous.key").write_text("00")
    file = tmp_path / "collector.toml"
    file.write_text(file.read_text() + f'[lines]\nkeys = "{keys}"\n')
    assert found()["key_missing"] == [OLD]


def test_a_damaged_note_is_named(config: Config, run: Run) -> None:
    (config.folder / FILE).write_bytes(b"no database" * 100)
    code, text = run()
    assert code == 2
    assert f"{config.folder / FILE}" in text.replace("\n", "")


def test_reading_makes_no_file(config: Config) -> None:
    with open_store(config):
        before = sorted(path.name for path in config.folder.iterdir())
        status.read(config)
        assert sorted(path.name for path in config.folder.iterdir()) == before


def test_a_keeper_that_is_behind_is_said(config: Config, run: Run) -> None:
    now = time.time_ns()
    hour = now - now % (3600 * 10**9) - 9 * 3600 * 10**9
    with open_store(config) as store:
        for school in (FINE, HELD, REFUSED, NEVER, OLD):
            tags = {"school": school, "district": "630102"}
            store.write([Point("school_hour", tags, {"pcs": 1, "reports": 1, "open": True}, hour)])
    assert "schoolpulse collect" in run()[1]


def test_a_store_that_is_dead_is_named(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "data"
    register = Register({FINE: School(FINE, "示例", "630102", "小学", "630102")})
    RegisterBook(folder / "register.db").import_rows(rows_of(register), who="test")
    text = f'data = "{folder}"\n[store]\nkind = "influxdb"\nurl = "http://127.0.0.1:9"\n'
    (tmp_path / "collector.toml").write_text(text)
    argv = ["status", "--config", str(tmp_path / "collector.toml")]
    assert main("schoolpulse", COMMANDS, argv) == 2
    assert "http://127.0.0.1:9" in capsys.readouterr().err

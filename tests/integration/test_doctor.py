"""`schoolpulse doctor`: all well says so; each thing that is wrong is named with its fix."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import services
from collector.roster.book import RegisterBook
from collector.roster.register import CalendarRow
from collector.roster.sheets import read_folder
from collector.service.pipeline.quarantine import FILE, Quarantine, Row
from collector.store.base import Point
from collector.store.factory import open_store

SCHOOL = "9900000001"


class _Healthy(http.server.BaseHTTPRequestHandler):
    behind_s = 0.0

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) - self.behind_s)

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def lineserver() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Healthy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def verdict(process: Any) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the checks by their English name."""
    done = process.run("--lang", "en", "doctor", "--json")
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] == (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in found["checks"]}


def findings(process: Any) -> set[str]:
    code, checks = verdict(process)
    wrong = {name for name, check in checks.items() if not check["ok"]}
    assert all(checks[name]["fix"] for name in wrong)
    assert code == (1 if wrong else 0)
    return wrong


def test_all_is_well_beside_a_running_collector(process: Any, lineserver: str, kit: Any) -> None:
    process.enrol(SCHOOL)
    process.tables = f'[lines]\nserver = "{lineserver}"\n'
    process.start()
    process.up()
    assert findings(process) == set()
    done = process.run("doctor")
    assert done.stdout.count("✓") == 11
    assert "台账" in done.stdout


def test_a_clock_that_is_ahead_of_a_server_and_of_most_pcs_is_a_finding(
    process: Any, lineserver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight days: by then the PCs' corrected time is wrong, and every report with it."""
    monkeypatch.setattr(_Healthy, "behind_s", 8 * 86_400.0)
    process.enrol(SCHOOL)
    process.tables = f'[lines]\nserver = "{lineserver}"\n'
    with open_store(process.config) as store:
        for n, offset_ms in enumerate((691_200_000, 691_199_000, 691_201_500, 0)):
            fields = {"boot": f"{n:016x}", "number": 2, "offset_ms": offset_ms}
            tags = {"school": SCHOOL, "machine": f"{n:032x}"}
            store.write([Point("agent", tags, fields, time.time_ns() - 10**9)])
    _, checks = verdict(process)
    clock = checks["this clock"]
    assert not clock["ok"]
    assert "NTP" in clock["fix"]
    server, pcs = clock["detail"].split("; ")
    assert server.endswith("s against the measurement server")
    assert abs(int(server.split()[0].replace(",", "")) - 691_200) <= 600
    assert pcs == "+691,200 s against 3 of 4 PCs"


def test_everything_that_is_wrong_is_named_at_once(process: Any, broker: Any) -> None:
    process.tables = f'[lines]\nserver = "http://127.0.0.1:{services.free_port()}"\n'
    broker.kill()
    assert findings(process) == {"data folder", "broker", "measurement server"}
    done = process.run("doctor")
    assert "mkdir" in done.stdout
    assert "✗ 消息服务" in done.stdout


def test_a_register_whose_calendar_has_ended_is_a_finding(process: Any) -> None:
    process.enrol(SCHOOL)
    data = process.config.folder
    rows, _ = read_folder(process.folder / "sheets")
    old = CalendarRow(dt.date(2020, 3, 1), dt.date(2020, 7, 1), "term")
    ended = dataclasses.replace(rows, calendar=(old,))
    RegisterBook(data / "register.db").import_rows(ended, who="test")
    _, checks = verdict(process)
    assert not checks["register"]["ok"]
    assert "2020-07-01" in checks["register"]["detail"]


def test_files_that_are_damaged_are_findings_with_a_fix_that_can_be_typed(process: Any) -> None:
    process.folder.mkdir(exist_ok=True)
    process.config.folder.mkdir(parents=True, exist_ok=True)
    _, checks = verdict(process)
    assert "roster template --out DIR" in checks["register"]["fix"]
    for name in ("register.db", FILE):
        (process.config.folder / name).write_bytes(b"\xff" * 9000)
    _, checks = verdict(process)
    for check, name in (("register", "register.db"), ("quarantine", FILE)):
        assert str(process.config.folder / name) in checks[check]["detail"]
        assert "backup" in checks[check]["fix"]


def test_a_quarantine_that_fills_up_is_a_finding(process: Any) -> None:
    process.more = "quarantine_bytes = 1000"
    process.enrol(SCHOOL)
    quarantine = Quarantine(process.config.folder / FILE, 1000)
    assert quarantine.add([Row(1, "topic", bytes(750), "not JSON")]) == [True]
    quarantine.close()
    assert findings(process) >= {"quarantine"}


@pytest.mark.mosquitto
@pytest.mark.parametrize(
    ("setting", "acl"),
    [
        ("allow_anonymous false", ""),
        ("acl_file {acl}", "topic read schoolpulse/#\n"),
    ],
    ids=["login", "publish"],
)
def test_what_the_broker_refuses_is_a_finding(
    tmp_path: Path, kit: Any, setting: str, acl: str
) -> None:
    rules = tmp_path / "acl"
    rules.write_text(acl)
    rules.chmod(0o644)
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker("mosquitto", folder, setting.format(acl=rules)) as running:
        process = kit.Process(tmp_path, running.port)
        process.enrol(SCHOOL)
        _, checks = verdict(process)
        assert not checks["broker"]["ok"]
        assert "uthoriz" in checks["broker"]["detail"]

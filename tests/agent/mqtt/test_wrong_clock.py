"""A PC whose clock stands decades off connects over TLS, and its reports carry the right time."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import services
from accounts_broker import CITY, AccountsBroker
from agent.wire import Hello, Report, decode_message
from fake_collector import FakeCollector
from pki import Ca

SCHOOL = "9963020001"
#: Of the CA and of the broker's certificate: both years of the PCs lie outside.
SPAN = (dt.datetime(2024, 1, 1), dt.datetime(2034, 1, 1))
CONFIG = """
school = "{school}"
data = "{folder}/data"
report_s = 5
[probes]
enabled = ["host"]
[broker]
host = "localhost"
port = {port}
username = "{school}"
password = "first"
tls = true
ca = "{ca}"
transport = "{transport}"
"""


def clock_of(year: int) -> list[str]:
    """Words before a command that puts its clock into `year`; it stays one process."""
    services.require("faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    words = [f"LD_PRELOAD={library}", f"FAKETIME=@{year}-03-01 08:00:00"]
    return ["env", *words, "FAKETIME_DONT_FAKE_MONOTONIC=1"]


@pytest.mark.slow
@pytest.mark.parametrize("year", [2010, 2040])
@pytest.mark.parametrize("transport", ["tcp", "websockets"])
def test_the_agent_reports_from_another_decade(tmp_path: Path, year: int, transport: str) -> None:
    clock = clock_of(year)
    ca, folder = Ca(tmp_path / "ca", span=SPAN), tmp_path / "broker"
    with AccountsBroker(folder, ca.sign(span=SPAN)).running({SCHOOL: "first"}) as running:
        port = running.web if transport == "websockets" else running.port
        config = tmp_path / "agent.toml"
        text = CONFIG.format(
            school=SCHOOL, folder=tmp_path, port=port, ca=ca.path, transport=transport
        )
        config.write_text(text)
        agent = [sys.executable, "-m", "agent.cli", "run", "--config", str(config)]
        city = FakeCollector(running.plain, five=True, account=(CITY, running.city_password))
        try:
            with services.started([*clock, *agent], tmp_path / "agent.log"):
                city.wait(lambda: any(number >= 2 for _, _, number in city.heard))
        finally:
            city.close()
    heard = sorted((number, payloads[0]) for (_, _, number), payloads in city.heard.items())
    hello, report = decode_message(heard[0][1]), decode_message(heard[1][1])
    assert isinstance(hello, Hello)
    assert isinstance(report, Report)
    assert dt.datetime.fromtimestamp(hello.sent / 1000, dt.UTC).year == year
    assert abs(report.time / 1000 - time.time()) < 600
    assert not report.uncertain


def test_the_years_are_outside_of_the_certificates(tmp_path: Path) -> None:
    """With dates checked, as the city's programs do, the same PCs are refused."""
    ca = Ca(tmp_path / "ca", span=SPAN)
    signed = ca.sign(span=SPAN)
    for year in (2010, 2040):
        argv = [*clock_of(year), "openssl", "verify", "-CAfile", str(ca.path)]
        argv.append(str(signed.certificate))
        done = subprocess.run(argv, check=False, capture_output=True)
        told = (done.stdout + done.stderr).decode()
        assert done.returncode != 0, json.dumps(told)
        assert "certificate" in told

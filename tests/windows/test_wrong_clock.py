"""A Windows PC in 2010 and in 2040 connects over TLS; with dates checked it could not."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pytest

import services
import wine
from accounts_broker import AccountsBroker
from pki import Ca
from wine import ROOT, Wine

SCHOOL = "9963020001"
SPAN = (dt.datetime(2024, 1, 1), dt.datetime(2034, 1, 1))
NO_CHECK_TIME = 0x200000
CODE = """
import select, time
from agent.common.broker_settings import AgentBroker
from agent.mqtt.accounts import Account
from agent.mqtt.connection import Connected, Connection

def answer(check_dates):
    broker = AgentBroker(
        host="localhost", port={port}, tls=True, ca=r"Z:{ca}", username="{school}",
        password="first", transport="{transport}",
    )
    context = Account(broker).context()
    if check_dates:
        context.verify_flags &= ~{no_check_time}
    connection = Connection(broker, context, "wine", None, mqtt5=True)
    connection.open()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        writing = [connection.socket] if connection.want_write else []
        readable, _, _ = select.select([connection.socket], writing, [], 1)
        for event in connection.pump(readable=bool(readable)):
            if isinstance(event, Connected):
                return str(event.reason)

print(time.gmtime().tm_year)
print(answer(False))
try:
    print(answer(True))
except OSError as error:
    print(type(error).__name__)
"""


def _preload() -> str:
    services.require("faketime")
    return next(map(str, Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")))


def _python(made: Wine, year: int, code: str) -> list[str]:
    """What it says on a Windows whose clock, with that of its server, stands in `year`."""
    environment = made.environment | {
        "PYTHONHOME": f"Z:{wine.BUILD}/python", "PYTHONPATH": f"Z:{ROOT}", "PYTHONUTF8": "1",
        "LD_PRELOAD": _preload(), "FAKETIME": f"@{year}-03-01 08:00:00",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    call = ["wine", str(wine.BUILD / "python/python.exe"), "-c", code]
    try:
        done = subprocess.run(
            call, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=250,
            check=True,
        )  # fmt: skip
    finally:
        subprocess.run(["wineserver", "-k"], env=environment, check=False)
    return done.stdout.decode().split()


@pytest.mark.parametrize(
    ("year", "transport"), [(2010, "tcp"), (2040, "tcp"), (2010, "websockets")]
)
def test_a_windows_pc_of_another_decade_connects(tmp_path: Path, year: int, transport: str) -> None:
    ca, folder = Ca(tmp_path / "ca", span=SPAN), tmp_path / "broker"
    with AccountsBroker(folder, ca.sign(span=SPAN)).running({SCHOOL: "first"}) as running:
        code = CODE.format(
            port=running.web if transport == "websockets" else running.port,
            ca=ca.path, school=SCHOOL, transport=transport, no_check_time=NO_CHECK_TIME,
        )  # fmt: skip
        said = _python(Wine(tmp_path / "prefix"), year, code)
    assert said == [str(year), "Success", "SSLCertVerificationError"]

"""`enrol --all` dies by SIGKILL while it gives a running Mosquitto its commands; so does Mosquitto.
The next run mends it, and nobody keeps a right that it should not have."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from collector.enrol import brokering
from enrolled_broker import mosquitto
from enrolled_city import EnrolledCity

CODES = tuple(f"99{number:08}" for number in range(1, 241))  # 480 commands, 24 messages
LAST = 24

_DYING = """
import os, signal, sys
from collector.broker import session
from collector.cli import main

at, moment, killed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) or os.getpid()
real, count = session.Session._send, 0

def dying(self, commands):
    global count
    count += "rolename" in commands[0] or "roles" in commands[0]
    if count != at:
        return real(self, commands)
    if moment == "before":
        os.kill(killed, signal.SIGKILL)
    if moment == "sent":
        self._publish(commands)
        self._agreed("published")
        os.kill(killed, signal.SIGKILL)
    found = real(self, commands)
    os.kill(killed, signal.SIGKILL)
    return found

session.Session._send = dying
sys.argv[1:] = sys.argv[4:]
sys.exit(main())
"""

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[EnrolledCity]:
    made = EnrolledCity(tmp_path / "city", services.free_port())
    assert made.setup("--name", "localhost", "--alt", "127.0.0.1") == 0
    made.roster(*CODES)
    return made


def dying(city: EnrolledCity, at: int, moment: str, victim: int = 0) -> tuple[int, str]:
    """Run it to its end: its exit code, or the signal as a negative number; what it complained."""
    words = ["enrol", "--all", "--config", str(city.file)]
    argv = [sys.executable, "-c", _DYING, str(at), moment, str(victim), *words]
    done = subprocess.run(argv, check=False, capture_output=True, encoding="utf-8")
    return done.returncode, done.stderr


def usernames(city: EnrolledCity) -> list[str]:
    return brokering.control(city.place, city.config.mqtt).usernames()


def mended(city: EnrolledCity) -> None:
    """The next run leaves all as it should be, and the one after finds nothing to do."""
    assert city.enrol("--all") == 0
    assert set(CODES) <= set(usernames(city))
    with city.state() as state:
        wanted = brokering.accounts(city.place, state.held())
    assert brokering.apply(city.place, city.config.mqtt, wanted) == ("running", 0)
    assert len(list(city.bundles.iterdir())) == len(CODES)
    assert city.enrol("check") == 0


@pytest.mark.parametrize(
    ("at", "moment"),
    [(1, "before"), (1, "sent"), (12, "answered"), (20, "before"), (20, "sent"), (20, "answered"),
     (LAST, "sent")],
)  # fmt: skip
def test_killed_while_the_broker_is_told(city: EnrolledCity, at: int, moment: str) -> None:
    with mosquitto(city):
        assert dying(city, at, moment)[0] == -signal.SIGKILL
        assert len(set(usernames(city)) & set(CODES)) < len(CODES) or at == LAST
        mended(city)


@pytest.mark.parametrize("moment", ["before", "sent"])
def test_the_broker_dies_while_it_is_told(city: EnrolledCity, moment: str) -> None:
    with mosquitto(city) as process:
        code, said = dying(city, 20, moment, process.pid)
    assert (code, "再运行一次" in said, "Traceback" in said) == (1, True, False)
    with mosquitto(city):
        assert len(set(usernames(city)) & set(CODES)) < len(CODES)
        mended(city)

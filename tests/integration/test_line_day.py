"""A school day of 100 PCs on one line: real server, real schedule, real requests, a fast clock.

What is counted is what the server kept: how many tests, by whom, and whether any two overlapped.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import fast_lineserver
import services
from agent.common.calendar import CITY_TIME, Calendar
from agent.probes.line.turn import EndedError, LaterError, Server
from agent.resident.line_turns import LineTurns, Plan
from agent.resident.schedule import PlannedTest, Who
from agent.wire import LinePolicy, LineTest
from agent.wire.messages import Postponed

SPEED = 900.0
PCS = 100
SCHOOL = "9963010001"
MORNING = dt.datetime(2026, 9, 7, 7, 20, tzinfo=CITY_TIME).timestamp()
EVENING = dt.datetime(2026, 9, 7, 18, 10, tzinfo=CITY_TIME).timestamp()
#: Long leases: on the fast clock even a small transfer lasts for a minute.
LINE = LinePolicy(line="主线", quiet_per_day=3, lesson_per_day=1, max_seconds=120)


class Row(NamedTuple):
    """One turn as the server kept it."""

    machine: str
    window: str
    started: float
    ended: float
    outcome: str | None


class City:
    """The server and the broker of one run; both can be killed and come again."""

    def __init__(self, folder: Path, broker: services.Broker) -> None:
        self.folder, self.broker = folder, broker
        self.port = services.free_port()
        self.clock = (MORNING, time.monotonic(), SPEED)
        self.now = fast_lineserver.fast_clock(*self.clock)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = (self.port, self.broker.port, self.folder, *self.clock)
        self.process = subprocess.Popen(
            [sys.executable, fast_lineserver.__file__, *map(str, words)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def kept(self) -> list[Row]:
        base = sqlite3.connect(self.folder / "turns.db")
        rows = base.execute("SELECT wish, started, ended, until, outcome FROM turn").fetchall()
        base.close()
        found = []
        for wish, started, ended, until, outcome in rows:
            said = msgspec.json.decode(wish)
            end = until if ended is None else ended
            found.append(Row(said["machine"], said["window"], started, end, outcome))
        return sorted(found, key=lambda row: row.started)


class Pcs:
    """The PCs: each on for its own part of the day, some the whole of it."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.turns: dict[str, LineTurns] = {}
        self.answers: dict[str, int] = {}
        self.granted = threading.Event()  # a test runs, and waits until `go`
        self.go = threading.Event()
        self.go.set()
        draw = random.Random(7)
        day = EVENING - MORNING
        self.hours = {
            f"{n:032x}": (0.0, day) if n % 10 == 0 else tuple(sorted((draw.uniform(0, day),
                                                                      draw.uniform(0, day))))
            for n in range(PCS)
        }  # fmt: skip

    def run(self) -> None:
        """The whole day."""
        plan = Plan((LINE,), Calendar())
        while (now := self.city.now()) < EVENING:
            moment = dt.datetime.fromtimestamp(now, CITY_TIME)
            for machine, (begin, end) in self.hours.items():
                if not begin <= now - MORNING < end:
                    self.turns.pop(machine, None)  # switched off; it forgets
                    continue
                turns = self.turns.get(machine) or self._switched_on(machine)
                turns.plan(plan, moment)
                turns.turn(moment)
            time.sleep(0.005)  # the step of this clock: 4.5 s of the day

    def _switched_on(self, machine: str) -> LineTurns:
        def measure(planned: PlannedTest, left_s: float | None) -> LineTest | Postponed:
            return self._measure(machine, planned, left_s)

        made = LineTurns(Who(SCHOOL, machine), measure, lambda test: None)
        return self.turns.setdefault(machine, made)

    def _measure(
        self, machine: str, planned: PlannedTest, left_s: float | None
    ) -> LineTest | Postponed:
        """A turn as the probe takes it, with a small transfer."""
        assert planned.window is not None
        name = planned.window.name
        wish: dict[str, Any] = {"school": SCHOOL, "machine": machine, "line": LINE.line}
        wish |= {"max_seconds": LINE.max_seconds, "window": name, "left_s": left_s}
        server = Server(f"http://127.0.0.1:{self.city.port}", 5.0)
        try:
            granted = server.ask(wish)
            self.granted.set()
            self.go.wait(20)
            server.ping_ms(granted["path"])
            server._request("GET", f"{granted['path']}/speedtest/random350x350.jpg", None)
            server.done(granted["id"], ok=True)
        except LaterError as said:
            self.answers[said.answer] = self.answers.get(said.answer, 0) + 1
            return Postponed(said.answer, said.retry_s)  # type: ignore[arg-type]
        except EndedError as error:
            self.answers[error.outcome] = self.answers.get(error.outcome, 0) + 1
            return LineTest(test="", line=LINE.line, outcome=error.outcome)
        finally:
            server.close()
        return LineTest(test=granted["id"], line=LINE.line, outcome="ok")


@contextlib.contextmanager
def city(folder: Path) -> Iterator[City]:
    folder.mkdir()
    with services.broker("mosquitto", folder) as broker:
        made = City(folder, broker)
        made.start()
        try:
            yield made
        finally:
            made.kill()


def a_day(folder: Path) -> tuple[list[Row], dict[str, int]]:
    with city(folder) as here:
        pcs = Pcs(here)
        pcs.run()
        return here.kept(), pcs.answers


def a_day_with_kills(folder: Path) -> tuple[list[Row], dict[str, int]]:
    """Server and broker are killed amid the second test of the day, and come again."""
    with city(folder) as here:
        pcs = Pcs(here)
        day = threading.Thread(target=pcs.run)
        day.start()
        assert pcs.granted.wait(60)  # the first has its turn
        while not any(row.outcome == "ok" for row in here.kept()):
            time.sleep(0.01)
        pcs.go.clear()
        pcs.granted.clear()
        assert pcs.granted.wait(60)
        here.kill()
        here.broker.kill()
        pcs.go.set()
        here.broker.start()
        here.start()
        day.join()
        return here.kept(), pcs.answers


@pytest.mark.mosquitto
def test_a_day_of_100_pcs_on_one_line(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        plain = both.submit(a_day, tmp_path / "plain")
        killed = both.submit(a_day_with_kills, tmp_path / "killed")
    rows = _check(*plain.result())
    assert {row.outcome for row in rows} == {"ok"}
    # The test that the kill broke off was tried again in its window, and never beside another.
    rows = _check(*killed.result())
    assert [row.outcome for row in rows].count("expired") in (1, 2)


def _check(rows: list[Row], answers: dict[str, int]) -> list[Row]:
    told = f"{rows} {answers}"
    good = [row for row in rows if row.outcome == "ok"]
    assert sorted(row.window for row in good) == ["l0", "q0", "q1", "q2"], told
    assert len({row.machine for row in good}) == len(good), told
    assert all(before.ended <= after.started for before, after in pairwise(rows)), told
    assert answers["enough"] > PCS, told  # the others did ask
    print(f"\n{len(good)} tests by {len({row.machine for row in good})} PCs, answers {answers}")
    return rows

"""A school day of 100 PCs on one line: real server, real schedule, real requests, one clock.

The clock stands while anybody asks or answers, so that the day is the same on a slow machine.
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
from collections.abc import Callable, Iterator
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
from agent.wire.postponed import Postponed
from voice import PATIENCE_S, until

PCS = 100
SCHOOL = "9963010001"
MORNING = dt.datetime(2026, 9, 7, 7, 20, tzinfo=CITY_TIME).timestamp()
EVENING = dt.datetime(2026, 9, 7, 18, 10, tzinfo=CITY_TIME).timestamp()
#: How long a test lasts, an outage, and the longest step of the clock, s.
TEST_S, OUTAGE_S, STEP_S = 60.0, 1200.0, 30.0
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
        self.now = fast_lineserver.Clock(folder / "clock")
        self.now.set(MORNING)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = (self.port, self.broker.port, self.folder, self.folder / "clock")
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
        for wish, started, ended, lease, outcome in rows:
            said = msgspec.json.decode(wish)
            end = lease if ended is None else ended
            found.append(Row(said["machine"], said["window"], started, end, outcome))
        return sorted(found, key=lambda row: row.started)


class Pcs:
    """The PCs: each on for its own part of the day, some the whole of it."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.turns: dict[str, LineTurns] = {}
        self.ever: dict[str, LineTurns] = {}  # of those too that were switched off during a test
        self.asleep: dict[str, tuple[float, threading.Event]] = {}  # during a test, until when
        self.answers: dict[str, int] = {}
        draw = random.Random(7)
        day = EVENING - MORNING
        self.hours = {
            f"{n:032x}": (0.0, day) if n % 10 == 0 else tuple(sorted((draw.uniform(0, day),
                                                                      draw.uniform(0, day))))
            for n in range(PCS)
        }  # fmt: skip

    def run(self, met: Callable[[], bool]) -> None:
        """Let the day pass until `met`."""
        while not met():
            self._step(dt.datetime.fromtimestamp(self.city.now(), CITY_TIME))
            until(self._settled, what="every answer")
            self._pass()

    def _step(self, moment: dt.datetime) -> None:
        plan = Plan((LINE,), Calendar())
        for machine, (begin, end) in self.hours.items():
            if not begin <= moment.timestamp() - MORNING < end:
                self.turns.pop(machine, None)  # switched off; it forgets
                continue
            turns = self.turns.get(machine) or self._switched_on(machine)
            turns.plan(plan, moment)
            turns.turn(moment)

    def _settled(self) -> bool:
        """Whether nobody asks: each PC waits for the clock."""
        return all(one in self.asleep or not turns.running for one, turns in self.ever.items())

    def _pass(self) -> None:
        """Time passes, up to what is due next; whose test has lasted long enough goes on."""
        now = self.city.now()
        moment = dt.datetime.fromtimestamp(now, CITY_TIME)
        waits = [turns.wait(moment) for turns in self.turns.values()]
        waits += [due - now for due, _ in self.asleep.values()]
        now += max(1.0, min([STEP_S, *(wait for wait in waits if wait is not None)]))
        self.city.now.set(now)
        for machine in [one for one, (due, _) in self.asleep.items() if due <= now]:
            self.asleep.pop(machine)[1].set()

    def _sleep(self, machine: str) -> None:
        woken = threading.Event()
        self.asleep[machine] = self.city.now() + TEST_S, woken
        assert woken.wait(PATIENCE_S)

    def _switched_on(self, machine: str) -> LineTurns:
        def measure(planned: PlannedTest, left_s: float | None) -> LineTest | Postponed:
            return self._measure(machine, planned, left_s)

        made = LineTurns(Who(SCHOOL, machine), measure, lambda test: None)
        self.turns[machine] = self.ever[machine] = made
        return made

    def _measure(
        self, machine: str, planned: PlannedTest, left_s: float | None
    ) -> LineTest | Postponed:
        """A turn as the probe takes it, with a small transfer."""
        assert planned.window is not None
        name = planned.window.name
        wish: dict[str, Any] = {"school": SCHOOL, "machine": machine, "line": LINE.line}
        wish |= {"max_seconds": LINE.max_seconds, "window": name, "left_s": left_s}
        server = Server(f"http://127.0.0.1:{self.city.port}", PATIENCE_S)
        try:
            granted = server.ask(wish)
            self._sleep(machine)
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


def evening(here: City) -> Callable[[], bool]:
    return lambda: here.now() >= EVENING


@pytest.mark.mosquitto
def test_a_day_of_100_pcs_on_one_line(tmp_path: Path) -> None:
    with city(tmp_path / "city") as here:
        pcs = Pcs(here)
        pcs.run(evening(here))
        rows = _check(here.kept(), pcs.answers)
    assert {row.outcome for row in rows} == {"ok"}
    assert pcs.answers["busy"] > 0, "some asked while another's test ran"


@pytest.mark.mosquitto
def test_a_day_in_which_server_and_broker_die_amid_the_second_test(tmp_path: Path) -> None:
    """What the kill broke off is tried again in its window, and never beside another."""
    with city(tmp_path / "city") as here:
        pcs = Pcs(here)
        pcs.run(lambda: any(row.outcome == "ok" for row in here.kept()))
        pcs.run(lambda: bool(pcs.asleep))
        here.kill()
        here.broker.kill()
        again = here.now() + OUTAGE_S
        pcs.run(lambda: here.now() >= again)
        here.broker.start()
        here.start()
        pcs.run(evening(here))
        rows = _check(here.kept(), pcs.answers)
    assert [row.outcome for row in rows].count("expired") == 1
    assert pcs.answers["unreachable"] > 0


def _check(rows: list[Row], answers: dict[str, int]) -> list[Row]:
    told = f"{rows} {answers}"
    good = [row for row in rows if row.outcome == "ok"]
    assert sorted(row.window for row in good) == ["l0", "q0", "q1", "q2"], told
    assert len({row.machine for row in good}) == len(good), told
    assert all(before.ended <= after.started for before, after in pairwise(rows)), told
    assert answers["enough"] > PCS, told  # the others did ask
    print(f"\n{len(good)} tests by {len({row.machine for row in good})} PCs, answers {answers}")
    return rows

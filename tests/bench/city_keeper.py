"""The keeper of a bench's city, a process of its own: a line of JSON for what each run costs."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import city_day
from agent.common.calendar import CITY_TIME
from city_day import City
from collector.config import City as Area
from collector.config import Config, Figure, Store
from collector.keeper import Keeper
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.midnight import midnight
from collector.keeper.part import Part
from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.pending_days import PendingDays
from collector.store.factory import open_store

#: Of an openGemini that runs.
GEMINI = os.environ.get("SCHOOLPULSE_TEST_OPENGEMINI_URL", "")
_GARBAGE = 50_000, 20, 20  # as under `schoolpulse collect`


class Asked(NamedTuple):
    """What to run."""

    data: str
    url: str
    schools: int
    pcs: int
    minutes: float
    until_s: int
    keeper_s: float
    compared: int
    part: tuple[int, int] = (1, 1)

    def file(self, name: str) -> Path:
        """A file of the keeper of this part."""
        number, of = self.part
        return Path(self.data, f"{name}-{number}-{of}.db" if of > 1 else f"{name}.db")

    @property
    def city(self) -> City:
        """The city; its day is today, wherever the clock stands."""
        return City(self.schools, self.pcs, day=dt.datetime.now(CITY_TIME).date())

    @property
    def config(self) -> Config:
        """SQLite in `data`, or InfluxDB or openGemini at `url`."""
        if not self.url:
            return Config(data=self.data, store=Store(telemetry_days=36500))
        kind: Any = "opengemini" if self.url == GEMINI else "influxdb"
        return Config(data=self.data, store=Store(kind, self.url, org="", telemetry_days=36500))


def keep(asked: Asked) -> None:
    """The keeper's process: a line of JSON a run, until its input ends."""
    gc.set_threshold(*_GARBAGE)
    city, known = asked.city, city_day.register(asked.city)
    began, noon = time.monotonic(), midnight(city.day) + asked.until_s * 10**9

    def clock() -> int:
        return noon + int((time.monotonic() - began) * 1e9)

    class Told(Keeper):
        """Says what each run cost."""

        def begin(self) -> bool:
            self.before, self.count = _cpu(), 0
            return super().begin()

        def derive_schools(self, due: Mapping[str, int], *given: Any) -> dict[str, Exception]:
            self.count += len(due)
            return super().derive_schools(due, *given)

        def run_once(self, now: dt.datetime) -> None:
            spent = _cpu() - self.before
            if self._part.of == 1:
                super().run_once(dt.datetime.fromtimestamp(clock() / 1e9, CITY_TIME))
            told = {"cpu": spent, "schools": self.count, "rss": _most_mb()}
            told["rest"] = _cpu() - self.before - spent  # figure, audit, hours of silent schools
            print(json.dumps(told), flush=True)

    with open_store(asked.config) as store:
        keeper = Told(
            store, lambda: known, Figure(), Area(),
            now=clock, version=lambda: 1,
            part=Part(*asked.part), checkpoints=Checkpoints(asked.file("checkpoints")),
        )  # fmt: skip
        pending, readable_s = PendingDays(asked.file("days")), store.limits.readable_s
        thread = KeeperThread(keeper, pending, asked.keeper_s, readable_s=readable_s)
        thread.start()
        sys.stdin.read()
        thread.stop(60)
        pending.close()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _most_mb() -> float:
    """The most memory that this process ever had, MB.

    Not `ru_maxrss`, which begins with what the process that started this one had.
    """
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) / 1000


@contextlib.contextmanager
def keeping(asked: Asked) -> Iterator[subprocess.Popen[bytes]]:
    """The keeper's process; in the end its input must be closed."""
    argv = [sys.executable, __file__, json.dumps(asked)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


if __name__ == "__main__":
    keep(Asked(*json.loads(sys.argv[1])))

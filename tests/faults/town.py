"""A town on this machine that can be hurt: broker, InfluxDB, collectors and agents as processes."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
from town_database import Database

import services
from agent.common.calendar import local_day
from collector.config import Config
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.service.pipeline.pending_days import FILE as DAYS
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import FILE as QUARANTINE
from collector.service.pipeline.quarantine import Quarantine
from collector.store.base import Store as AnyStore
from collector.store.base import StoreError
from collector.store.factory import open_store
from one_school import import_school

Key = tuple[str, str, int]  # machine, boot, number
#: Day rows; those of hours and of the figure depend on the moment of their deriving.
_DERIVED = ("machine_day", "device_day", "room_day", "event")
_wait = threading.Event().wait
#: How much slower than a quiet one a machine may be; no row's result depends on it.
_SLOWER = 5.0


def until(met: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true value of `met`; fails where none comes in time."""
    deadline = time.monotonic() + seconds * _SLOWER
    while not (value := met()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds} s: {what}")
        _wait(0.05)
    return value


def _newest(keys: Iterable[Key]) -> dict[tuple[str, str], int]:
    """The highest number of each machine's boot."""
    found: dict[tuple[str, str], int] = {}
    for machine, boot, number in keys:
        found[machine, boot] = max(number, found.get((machine, boot), 0))
    return found


def _rows(store: AnyStore) -> set[str]:
    """The day rows that the keeper has derived."""
    return {repr(point) for name in _DERIVED for point in store.read(name, 0, 2**62)}


class Town:
    """Starts all; `close` by the ExitStack given."""

    def __init__(
        self, folder: Path, opened: contextlib.ExitStack, *, broker: str = "", group: str = "",
        database: Callable[[Path, contextlib.ExitStack], Any] = Database,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.broker = opened.enter_context(services.broker("mosquitto", folder, broker))
        self.database = database(folder / "influx", opened)
        store = self.database.store
        self.data = folder / "data"
        self._settings = folder / "collector.toml"
        self._settings.write_text(
            f'data = "{self.data}"\nkeeper_s = 5.0\naccept_simulated = true\n'
            f"[mqtt]\nport = {self.broker.port}\ngroup = '{group}'\n"
            f'[store]\nkind = "{store.kind}"\nurl = "{store.url}"\norg = ""\nurls = {store.urls}\n'
        )
        self.collectors: dict[int, subprocess.Popen[bytes]] = {}
        self._crowd: subprocess.Popen[bytes] | None = None
        self._crowd_words: list[str] = []
        opened.callback(self._end)
        import_school(folder, line="主线,本部,10", room="本部,机房,计算机教室,500")

    @property
    def config(self) -> Config:
        """The collectors' settings, for looking into the store."""
        return Config(data=str(self.data), store=self.database.store)

    # ---- collectors

    def collect(self, which: int = 0, *words: str) -> None:
        """Start a collector, and wait until it hears and can speak."""
        log = self.folder / f"collect-{which}.log"
        at = log.stat().st_size if log.exists() else 0
        argv = [sys.executable, "-m", "collector.cli", "collect", "--config", str(self._settings)]
        with log.open("ab") as out:
            self.collectors[which] = subprocess.Popen([*argv, *words], stderr=out)
        until(lambda: self._is_up(which, log, at), 60, f"collector {which}")

    def _is_up(self, which: int, log: Path, at: int) -> bool:
        if self.collectors[which].poll() is not None:
            raise SystemExit(log.read_text("utf-8"))
        said = log.read_bytes()[at:]
        return b"listening=True" in said and b"listening=False" in said

    def kill_collector(self, which: int = 0, sign: signal.Signals = signal.SIGKILL) -> int:
        """End it; its exit code."""
        process = self.collectors.pop(which)
        process.send_signal(sign)
        return process.wait(120)

    def rss(self, which: int = 0) -> float:
        """Its memory, MB."""
        return psutil.Process(self.collectors[which].pid).memory_info().rss / 1e6

    # ---- agents

    def crowd(
        self, agents: int = 50, port: int | None = None, *, patient: bool = False, **more: object
    ) -> None:
        """Start the agents."""
        words = ["--agents", str(agents), "--port", str(port or self.broker.port)]
        words += ["--folder", str(self.folder / "agents")]
        words += ["--patient"] if patient else []
        for name, value in more.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        self._crowd_words = words
        self.restart_crowd()

    def restart_crowd(self) -> None:
        """Start them as before; returns when they may be told to drain."""
        script = Path(__file__).with_name("crowd.py")
        with (self.folder / "crowd.log").open("ab") as log:
            self._crowd = subprocess.Popen(
                [sys.executable, str(script), *self._crowd_words],
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._crowd.stdout is not None
        if self._crowd.stdout.readline() != b"ready\n":
            raise SystemExit((self.folder / "crowd.log").read_text("utf-8"))

    def kill_crowd(self) -> None:
        """kill -9 of all agents."""
        assert self._crowd is not None
        self._crowd.kill()
        self._crowd.wait()

    def drain(self, seconds: float = 450) -> dict[str, int]:
        """No more reports; wait until nothing waits. What the agents' outboxes say."""
        assert self._crowd is not None
        self._crowd.terminate()
        out, _ = self._crowd.communicate(timeout=seconds)
        sums: dict[str, int] = json.loads(out)
        return sums

    # ---- the truth

    def produced(self, *, evidence: bool = False) -> set[Key]:
        """What the agents put into their outboxes."""
        path = self.folder / "agents" / "produced"
        rows = (line.split() for line in path.read_text().splitlines()) if path.exists() else ()
        return {(m, b, int(n)) for m, b, n, e in rows if not evidence or e == "1"}

    def stored(self) -> Counter[Key]:
        """How often each report is in the database."""
        with open_store(self.config) as store:
            return Counter(
                (point.tags["machine"], str(point.fields["boot"]), int(point.fields["number"]))
                for point in store.read("agent", 0, 2**62, fields=["boot", "number"])
            )

    def stored_beyond(self, keys: set[Key]) -> bool:
        """Whether a later report is stored of every machine and boot that these are of."""
        stored = _newest(self.stored())
        return all(stored.get(who, 0) > number for who, number in _newest(keys).items())

    def evidence(self) -> int:
        """Line tests in the database."""
        with open_store(self.config) as store:
            return sum(1 for _ in store.read("line_test", 0, 2**62))

    def any_stored(self) -> bool:
        """Whether reports have begun to arrive."""
        with contextlib.suppress(StoreError):
            return bool(self.stored())
        return False

    def quarantined(self) -> int:
        """Messages in quarantine."""
        path = self.data / QUARANTINE
        if not path.exists():
            return 0
        held = Quarantine(path, 0)
        try:
            return held.size()[0]
        finally:
            held.close()

    def differ(self) -> int:
        """Ends the collectors once all is derived; how many rows a whole derivation changes."""
        while not self._ended_derived():
            self.collect()
        load = RegisterBook(self.data / "register.db").load
        with open_store(self.config) as store:
            _wait(store.limits.readable_s)
            before = _rows(store)
            days = {local_day(point.time / 1e9) for point in store.read("agent", 0, 2**62)}
            Keeper(store, load, self.config.figure, self.config.city).derive(days)
            _wait(store.limits.readable_s)
            changed = before ^ _rows(store)
        for row in sorted(changed):
            print(row, file=sys.stderr)
        return len(changed) if before else -1

    def _ended_derived(self) -> bool:
        """Ends the collectors once all is derived; False: the last one left some for the next.

        The agents' last presences come when their reports have their receipts.
        """
        pending = PendingDays(self.data / DAYS)
        try:
            until(lambda: pending.oldest() is None, 60, "the keeper")
            for which in list(self.collectors):
                self.kill_collector(which, signal.SIGTERM)
            return pending.oldest() is None
        finally:
            pending.close()

    def _end(self) -> None:
        for process in [*self.collectors.values(), *([self._crowd] if self._crowd else [])]:
            if process.poll() is None:
                process.kill()
                process.wait()

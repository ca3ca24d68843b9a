"""The keeper as a process of its own, under the collector: started, watched, ended with it.

Its standard input is a pipe that the collector never writes to: when the collector ends, however
it does, the pipe ends, and the keeper with it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from agent.common import log
from agent.common.backoff import backoff

#: A keeper that ran for so long has not failed to start, s.
_RAN_S = 60.0


def command(config: str | None) -> list[str]:
    """What starts it; `config`: the path of the settings, None: the usual one."""
    argv = [sys.executable, "-m", "collector.cli", "collect", "--role", "keeper", "--watched"]
    return [*argv, "--config", config] if config else argv


class KeeperProcess:
    """Starts the keeper again whenever it ends, after a growing wait."""

    def __init__(self, argv: Sequence[str], cap_s: float = 60.0) -> None:
        self._argv, self._cap_s = list(argv), cap_s
        self._lock = threading.Lock()  # no process is started once `_stopping` is set
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="keeper-watch", daemon=True)

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have it end after the school that it derives; returns at once."""
        with self._lock:
            self._stopping.set()
            if self._process is not None:
                self._process.terminate()

    def stop(self, seconds: float) -> None:
        """End it, if need be by force after `seconds`: a keeper that is killed loses nothing."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of the process that was started last."""
        return self._process.pid if self._process else None

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            code = self._once()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - started > _RAN_S else failures + 1
            wait = backoff(failures, base=0.5, cap=self._cap_s)
            log.warning("keeper_ended", code=code, again_s=round(wait, 1))
            self._stopping.wait(wait)

    def _once(self) -> int | None:
        """Run it until it ends; its exit code, None where it could not be started."""
        try:
            with self._lock:
                if self._stopping.is_set():
                    return None
                self._process = subprocess.Popen(  # noqa: S603 - ourselves
                    self._argv, stdin=subprocess.PIPE
                )
        except OSError as error:
            log.warning("keeper_not_started", reason=error)
            return None
        with self._process:
            return self._process.wait()

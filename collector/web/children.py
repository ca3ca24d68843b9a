"""Our own commands, run beside the pages: what they need of processor and memory ends with them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import NamedTuple

from agent.common.language import Lang

_NICE = 10
_GRACE_S = 3.0


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    error: str


class Children:
    """Runs one command at a time; `stop` ends the one that runs, and no other begins."""

    def __init__(self, config: str | None) -> None:
        self._config = config
        self._turn = threading.Lock()
        self._running: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, lang: Lang, arguments: Sequence[str], seconds: float) -> Ended:
        """Run `schoolpulse ARGUMENTS` and wait.

        Raises:
            OSError: it cannot be started.
        """
        where = ["--config", self._config] if self._config else []
        argv = [sys.executable, "-m", "collector.cli", *arguments, *where]
        environ = {**os.environ, "SCHOOLPULSE_LANG": lang, "PYTHONIOENCODING": "utf-8"}
        with self._turn:
            if self._stopped:
                return Ended(-1, "", "")
            self._running = subprocess.Popen(  # noqa: S603 - our own program
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, encoding="utf-8", errors="replace", env=environ,
            )  # fmt: skip
            _lower(self._running.pid)
            try:
                out, error = self._running.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                self._running.kill()
                out, error = self._running.communicate()
            return Ended(self._running.returncode, out, error)

    def stop(self) -> None:
        """End what runs."""
        self._stopped = True
        running = self._running
        if running is None or running.poll() is not None:
            return
        running.terminate()
        try:
            running.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            running.kill()


def _lower(pid: int) -> None:
    """Readers come first; a system that has no priorities runs it as it is."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)

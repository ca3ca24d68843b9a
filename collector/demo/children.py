"""The demo's processes: each with a log, watched, and stopped in any case."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from agent.common.language import chosen, say
from collector.demo.interrupt import Interrupt

_LOOK_S = 0.1
_GRACE_S = 8.0
_TAIL = 15
_T = TypeVar("_T")


class DemoError(Exception):
    """The demo cannot go on; the message says why and names the fix."""


class ChildDiedError(DemoError):
    """A process ended unexpectedly."""


class LateError(DemoError):
    """A step did not finish in time."""


class Child:
    """A process of the demo; its output goes to a log."""

    def __init__(self, name: str, argv: Sequence[str], log: Path) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the demo itself.

        Raises:
            DemoError: the program cannot be started.
        """
        self.name, self.log = name, log
        environ = {k: v for k, v in os.environ.items() if not k.startswith("SCHOOLPULSE_")}
        environ |= {"SCHOOLPULSE_LANG": chosen(), "PYTHONUNBUFFERED": "1"}
        try:
            with log.open("ab") as out:
                self.process = subprocess.Popen(  # noqa: S603 - our own programs
                    argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                    env=environ, start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise DemoError(f"{argv[0]}: {error.strerror}") from error

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """Terminate it, and kill it if it does not end in time. Idempotent."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log_tail(self) -> str:
        """The last lines of its log."""
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            return "".join(deque(lines, _TAIL)).rstrip()


class Children:
    """All processes of a demo. Leaving the block stops them, the newest first."""

    def __init__(self, logs: Path, interrupt: Interrupt) -> None:
        self._logs = logs
        self._interrupt = interrupt
        self._running: list[Child] = []
        self._never = threading.Event()

    def start(self, name: str, argv: Sequence[str]) -> Child:
        """Start a process."""
        with self._interrupt.held():  # a process not yet in the list would never be stopped
            child = Child(name, argv, self._logs / f"{name}.log")
            self._running.append(child)
        return child

    def stop_all(self) -> None:
        """Stop them, the newest first, so that clients end before their servers. Idempotent."""
        while self._running:
            self._running[-1].stop()
            self._running.pop()

    def wait(self, what: str, check: Callable[[], _T | None], seconds: float) -> _T:
        """Wait until `check` returns something, and return that.

        Raises:
            ChildDiedError: one of the processes ended in the meantime.
            LateError: `seconds` passed.
            KeyboardInterrupt: the demo was interrupted.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._interrupt.check()
            found = check()
            if found is not None:
                return found
            self._check()
            if time.monotonic() > deadline:
                raise LateError(self._late(what, seconds))
            self._never.wait(_LOOK_S)

    def _check(self) -> None:
        for child in self._running:
            code = child.process.poll()
            if code is not None:
                text = say(
                    f"{child.name} 意外退出（代码 {code}），日志 {child.log}，最后几行：",
                    f"{child.name} exited unexpectedly (code {code}), log {child.log}, last lines:",
                )
                raise ChildDiedError(f"{text}\n{child.log_tail()}")

    def _late(self, what: str, seconds: float) -> str:
        logs = "\n\n".join(f"[{child.log}]\n{child.log_tail()}" for child in self._running)
        text = say(
            f"等了 {seconds:g} 秒，没有等到：{what}",
            f"timed out after {seconds:g} s waiting for: {what}",
        )
        return f"{text}\n{logs}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._interrupt.held():
            self.stop_all()

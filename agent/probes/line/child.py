"""The agent's side of the child process of a line test: start it, read its events, stop it."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

import msgspec

#: What the child runs, by `python -m`; frozen, deploy/windows/entry.py takes that for it.
MODULE = "agent.probes.line.load"
#: The longest line read from the child, bytes.
_MAX_LINE = 4_000_000
_ENDED: dict[str, Any] = {
    "event": "failed", "outcome": "aborted", "reason": "child_ended", "detail": "",
}  # fmt: skip


class Child:
    """A running child; agent.probes.line.load describes its input and output."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a constant of ours
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # No console window may flash up on a school PC.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            env=_environment(),
        )
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="line-child", daemon=True)
        self._reader.start()
        self._stopped: set[str] = set()
        self._send(msgspec.json.encode(task).decode())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def events(self, seconds: float) -> Iterator[dict[str, Any]]:
        """The events so far; waits up to `seconds` for the first, and not for more."""
        try:
            yield self._events.get(timeout=seconds)
            while True:
                yield self._events.get_nowait()
        except queue.Empty:
            return

    def stop(self, direction: str) -> None:
        """End the load in this direction; more calls do nothing."""
        if direction not in self._stopped:
            self._stopped.add(direction)
            self._send(f"stop {direction}")

    def kill(self) -> None:
        """Kill the child; on return it has ended."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # unflushed input does not matter any more
                _open(pipe).close()

    def _send(self, line: str) -> None:
        pipe = _open(self._process.stdin)
        with contextlib.suppress(OSError):  # the child has ended: `_read` reports that
            pipe.write(line.encode() + b"\n")
            pipe.flush()

    def _read(self) -> None:
        pipe = _open(self._process.stdout)
        while line := pipe.readline(_MAX_LINE):
            try:
                self._events.put(msgspec.json.decode(line))
            except msgspec.DecodeError:  # printed by a library
                continue
        self._events.put(_ENDED)


@contextlib.contextmanager
def started(task: dict[str, Any]) -> Iterator[Child]:
    """A child that runs during the block."""
    child = Child(task)
    try:
        yield child
    finally:
        child.kill()


def _environment() -> dict[str, str]:
    """Our environment without proxies, which urllib would use."""
    return {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe

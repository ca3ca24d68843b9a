"""The child process of a line test, seen from the agent: started, heard, stopped, gone."""

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

#: Longest line taken from the child.
_MAX_LINE = 4_000_000
_ENDED: dict[str, Any] = {
    "event": "failed", "outcome": "aborted", "reason": "child_ended", "detail": "",
}  # fmt: skip


class Child:
    """A running child; see agent.probes.line.load for what it says and hears."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.probes.line.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A school PC must not see a console window flash up.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            env=_environment(),
        )
        self._heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="line-child", daemon=True)
        self._reader.start()
        self._stopped: set[str] = set()
        self._tell(msgspec.json.encode(task).decode())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def events(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What the child has said; waits so long for the first, and for no other."""
        try:
            yield self._heard.get(timeout=seconds)
            while True:
                yield self._heard.get_nowait()
        except queue.Empty:
            return

    def stop(self, direction: str) -> None:
        """End this direction's load; once is enough."""
        if direction not in self._stopped:
            self._stopped.add(direction)
            self._tell(f"stop {direction}")

    def end(self) -> None:
        """Whatever it does, it is gone on return."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not flushed is not wanted any more
                _open(pipe).close()

    def _tell(self, line: str) -> None:
        pipe = _open(self._process.stdin)
        with contextlib.suppress(OSError):  # a child that is gone is heard of by its end
            pipe.write(line.encode() + b"\n")
            pipe.flush()

    def _read(self) -> None:
        pipe = _open(self._process.stdout)
        while line := pipe.readline(_MAX_LINE):
            try:
                self._heard.put(msgspec.json.decode(line))
            except msgspec.DecodeError:  # a library's print is nothing to us
                continue
        self._heard.put(_ENDED)


@contextlib.contextmanager
def started(task: dict[str, Any]) -> Iterator[Child]:
    """A child for as long as the block runs."""
    child = Child(task)
    try:
        yield child
    finally:
        child.end()


def _environment() -> dict[str, str]:
    """Ours without proxies, which urllib would follow."""
    return {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe

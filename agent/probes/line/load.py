"""The child process of a line test: `python -m agent.probes.line.load`.

Standard input: one JSON line {server, wish, key, timeout, max_bytes}, then the lines
`stop download` and `stop upload`, which end that direction. When the input is closed the child
exits at once, so a parent that died leaves no load behind. Standard output, JSON lines:

{"event": "granted", "id", "long", "local", "more_s", "far_s"}   the test is granted; our address,
                                                    how much longer it may take, its round trip
{"event": "later", "answer", "retry_s"}             the test is not granted; the end
{"event": "latency", "ms": [...]}                   answer times, idle line
{"event": "phase", "name": "download" | "upload"}   load runs in this direction
{"event": "bytes", "t", "down", "up"}               payload so far, at perf_counter() t
{"event": "loaded", "ms": [...]}                    answer times, loaded line
{"event": "done", "seen": {...}}                    what the server saw
{"event": "failed", "outcome", "reason", "detail"}  the end, with its name
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from typing import Any

from agent.probes.line.speedtest import Meter, PrivateSpeedtest, Stop
from agent.probes.line.turn import EndedError, LaterError, Server

_PINGS, _FAR_PINGS = 12, 3
#: From this round trip on a line is far, s: a satellite's, not one on the ground.
_FAR_S = 0.2
#: What a far line's test takes more, in round trips, and at most in all, s: the server allows 120,
#: a long test takes twice the time.
_FAR_TRIPS, _LONGEST_S = 60, 60.0
_REPORT_S = 0.1
_FINE_REPORT_S = 0.01  # in the first second: a fast line may use up its budget in it
_LOADED_EVERY_S = 0.25
_out = threading.Lock()


def say(event: str, **fields: Any) -> None:
    """Write one event to the parent."""
    with _out:
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()


class LoadRun:
    """One test, from asking the server for it to closing it there."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._timeout = float(task["timeout"])
        self._server = Server(task["server"], self._timeout)
        self.stop = Stop()
        self._direction = ""
        self._far_s = 0.0

    def end(self, direction: str) -> None:
        """End the load in this direction, if it is running."""
        if direction == self._direction:
            self.stop.set()

    def run(self) -> None:
        """Ask for the test, measure, close it.

        Raises:
            EndedError: the test failed.
            LaterError: the server did not grant it now.
        """
        trip = self._server.connect()
        self._far_s = trip if trip >= _FAR_S else 0.0
        wish = self._task["wish"]
        seconds = time_for(wish["max_seconds"], self._far_s)
        more_s = seconds - wish["max_seconds"]
        wish |= {"max_seconds": seconds}
        granted = self._server.ask(wish, self._task.get("key", ""))
        say(
            "granted", id=granted["id"], long=granted.get("long") is True,
            local=self._server.local_address, more_s=more_s, far_s=self._far_s,
        )  # fmt: skip
        try:
            self._measure(granted["path"])
        except Exception:
            with contextlib.suppress(EndedError):  # the first error is the outcome
                self._server.done(granted["id"], ok=False)
            raise
        say("done", seen=self._server.done(granted["id"], ok=True))

    def _measure(self, path: str) -> None:
        pings = _FAR_PINGS if self._far_s else _PINGS
        say("latency", ms=[round(self._server.ping_ms(path), 3) for _ in range(pings)])
        meter = Meter(self.stop, self._timeout)
        url = self._task["server"].rstrip("/") + path
        speedtest = PrivateSpeedtest(url, self.stop, meter, self._timeout)
        meter.allow(1 << 20)
        speedtest.find()
        for direction in ("download", "upload"):
            self._run_direction(speedtest, meter, direction, path)

    def _run_direction(
        self, speedtest: PrivateSpeedtest, meter: Meter, direction: str, path: str
    ) -> None:
        self.stop.clear()
        self._direction = direction
        over = threading.Event()
        say("phase", name=direction)
        helpers = [
            threading.Thread(target=_report_bytes, args=(meter, over), daemon=True),
            threading.Thread(target=self._ping_loaded, args=(path, over), daemon=True),
        ]
        for thread in helpers:
            thread.start()
        try:
            speedtest.load(direction, int(self._task["max_bytes"][direction]))
        finally:
            over.set()
            for thread in helpers:
                thread.join(self._timeout)

    def _ping_loaded(self, path: str, over: threading.Event) -> None:
        """Time answers over the loaded line, on its own connection; errors do not end the test."""
        times = []
        with contextlib.suppress(EndedError):
            server = Server(self._task["server"], self._timeout)
            server.ping_ms(path)  # opens the connection
            while not over.wait(_LOADED_EVERY_S):
                times.append(round(server.ping_ms(path), 3))
            server.close()
        say("loaded", ms=times)


def time_for(seconds: float, far_s: float) -> float:
    """How long a test may take, s: `seconds`, and on a far line its round trips besides.

    Connections begin slowly, twice as fast with each round trip, and each request costs one or two.
    """
    return max(seconds, min(_LONGEST_S, seconds + _FAR_TRIPS * far_s))


def _report_bytes(meter: Meter, over: threading.Event) -> None:
    started = time.perf_counter()
    while True:
        t = time.perf_counter()
        say("bytes", t=round(t, 6), down=meter.down, up=meter.up)
        if over.wait(_FINE_REPORT_S if t - started < 1 else _REPORT_S):
            break
    say("bytes", t=round(time.perf_counter(), 6), down=meter.down, up=meter.up)


def _follow_input(load_run: LoadRun) -> None:
    for line in sys.stdin:
        load_run.end(line.strip().removeprefix("stop "))
    os._exit(1)  # the parent has died: no thread may go on loading the line


def main() -> int:
    """Run one test; the exit code is 0 where it ended as planned."""
    try:
        load_run = LoadRun(json.loads(sys.stdin.buffer.readline()))
        threading.Thread(target=_follow_input, args=(load_run,), daemon=True).start()
        load_run.run()
    except LaterError as error:
        say("later", answer=error.answer, retry_s=error.retry_s)
    except EndedError as error:
        say("failed", outcome=error.outcome, reason=error.reason, detail=error.detail)
        return 1
    except Exception as error:  # of any kind: the parent must learn of it
        say("failed", outcome="aborted", reason="crashed", detail=repr(error))
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads of speedtest-cli may still wait on a dead socket

"""speedtest-cli, subclassed to drive load against the city's own measurement server.

What the subclass changes, and why:
- get_config(): the original asks www.speedtest.net first; ours returns fixed settings.
- the opener: the original uses system proxies, follows redirects and accepts any reply; ours
  uses no proxy, follows no redirect, counts the bytes and keeps the first error.
- the user agent: the original runs `file` on the interpreter to learn of how many bits it is.
- the upload body: the original builds each body in memory, of 36 different letters; ours reads
  one shared block of random bytes repeatedly.
Used only in the child process of a line test.
"""

from __future__ import annotations

import os
import threading
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    OpenerDirector,
    Request,
)

import speedtest

from agent.probes.line.turn import EndedError

#: Parallel connections each way; the number in speedtest.net's own settings.
STREAMS = 8
#: random4000x4000.jpg: one request per connection lasts longer than most tests, without gaps.
_SIDE = 4000
_SIDE_BYTES = 2 * _SIDE * _SIDE
_NOISE = os.urandom(1 << 20)
_USER_AGENT = f"schoolpulse speedtest-cli/{speedtest.__version__}"
_UNREACHED_MS = 100_000  # speedtest-cli counts an hour for each latency request that failed


class Stop(threading.Event):
    """An event with the old method name that speedtest-cli calls."""

    def isSet(self) -> bool:  # noqa: N802
        return self.is_set()


class Meter:
    """Counts the payload each way, ends the load at its budget, and keeps the first error."""

    def __init__(self, stop: Stop, patience: float = 5.0) -> None:
        """A silent connection is an error once no bytes have passed for `patience` seconds."""
        self.down = 0
        self.up = 0
        self.fault: EndedError | None = None
        self._stop = stop
        self._patience = patience
        self._moved = time.perf_counter()
        self._budget = 0
        self._lock = threading.Lock()

    def allow(self, count: int) -> None:
        """Set the budget: `count` more bytes may pass."""
        self._budget = self.down + self.up + count

    def count(self, *, down: int = 0, up: int = 0) -> None:
        """Count bytes that passed; ends the load when the budget is used up."""
        with self._lock:
            self.down += down
            self.up += up
            self._moved = time.perf_counter() if down or up else self._moved
            if self.down + self.up >= self._budget:
                self._stop.set()

    def fail(self, error: EndedError) -> None:
        """Record an error of a connection and end all load; ignored when the load has ended."""
        if not self._stop.is_set():
            self.fault = self.fault or error
            self._stop.set()

    def broke(self, error: Exception) -> None:
        """A connection failed. A timeout is ignored while other connections transfer bytes.

        On a slow line with a short queue one of several connections may stall for seconds.
        """
        reason = getattr(error, "reason", error)
        flows = time.perf_counter() - self._moved < self._patience
        if not (flows and isinstance(reason, TimeoutError)):
            self.fail(EndedError("unreachable", "broke_off", str(reason)))


class _Body:
    """The body of a reply, counted as it is read; a body that ends too early is an error."""

    def __init__(self, reply: Any, meter: Meter, url: str) -> None:
        self._reply = reply
        self._meter = meter
        self._counts = "/random" in url
        self._upload = "/upload." in url
        self.code = reply.status

    def geturl(self) -> str:
        return str(self._reply.geturl())

    def read(self, size: int = -1) -> bytes:
        try:
            block: bytes = self._reply.read1(size) if self._counts else self._reply.read()
        except HTTPException as error:
            self._meter.fail(EndedError("garbled", "cut_short", repr(error)))
            raise OSError(str(error)) from error
        except OSError as error:
            self._meter.broke(error)
            raise
        if self._counts:
            self._meter.count(down=len(block))
        elif self._upload and not block.startswith(b"size="):
            self._meter.fail(EndedError("garbled", "bad_reply", "no size of the upload"))
        if not block and self._reply.length:
            self._meter.fail(EndedError("garbled", "cut_short"))
        return block

    def close(self) -> None:
        self._reply.close()


class _Opener:
    """Replaces urllib's opener; records errors, and raises those that speedtest-cli expects."""

    def __init__(self, meter: Meter, timeout: float) -> None:
        self._meter = meter
        self._director = OpenerDirector()
        for handler in (
            speedtest.SpeedtestHTTPHandler(timeout=timeout),
            speedtest.SpeedtestHTTPSHandler(timeout=timeout),
            HTTPDefaultErrorHandler(),
            HTTPErrorProcessor(),
        ):
            self._director.add_handler(handler)

    def open(self, request: Request | str) -> _Body:
        url = request if isinstance(request, str) else request.full_url
        try:
            reply: Any = self._director.open(request)
        except speedtest.SpeedtestUploadTimeout:
            raise  # the upload's time is up
        except HTTPError as error:
            error.close()
            self._meter.fail(EndedError("refused", "bad_status", str(error.code)))
            raise
        except (OSError, URLError) as error:
            self._meter.broke(error)
            raise
        except (HTTPException, ValueError) as error:
            self._meter.fail(EndedError("garbled", "bad_reply", repr(error)))
            raise OSError(str(error)) from error
        return _Body(reply, self._meter, url)


class _RandomBody:
    """The body of an upload: `length` bytes, read from one shared block."""

    def __init__(
        self, length: int, start: float, timeout: float, shutdown_event: Stop, meter: Meter
    ) -> None:
        self.length = length
        self.start = start
        self.timeout = timeout
        self.total: list[int] = []
        self._left = length
        self._stop = shutdown_event
        self._meter = meter

    def read(self, size: int = 8192) -> bytes:
        if self._stop.is_set() or time.perf_counter() - self.start > self.timeout:
            raise speedtest.SpeedtestUploadTimeout
        block = _NOISE[: min(size, self._left)]
        self._left -= len(block)
        self.total.append(len(block))
        self._meter.count(up=len(block))
        return block

    def __len__(self) -> int:
        return self.length


class PrivateSpeedtest(speedtest.Speedtest):  # type: ignore[misc]
    """Loads the line against `url`, the base of one test, until `stop` is set."""

    def __init__(self, url: str, stop: Stop, meter: Meter, timeout: float) -> None:
        speedtest.build_user_agent = lambda: _USER_AGENT
        super().__init__(timeout=timeout, shutdown_event=stop)
        self._opener = _Opener(meter, timeout)
        self._meter = meter
        self._url = url

    def get_config(self) -> dict[str, Any]:
        """The settings that speedtest.net would return."""
        self.config.update(
            client={"ip": "", "lat": "0", "lon": "0"},
            ignore_servers=[],
            sizes={"download": [_SIDE], "upload": [_SIDE_BYTES]},
            counts={"download": STREAMS, "upload": STREAMS},
            threads={"download": STREAMS, "upload": STREAMS},
            length={"download": 120, "upload": 120},
            upload_max=STREAMS,
        )
        self.lat_lon = (0.0, 0.0)
        return dict(self.config)

    def find(self) -> None:
        """Find the server as speedtest-cli does, and check the result."""
        try:
            self.get_best_server(self.set_mini_server(self._url))
        except (speedtest.SpeedtestException, OSError, ValueError) as error:
            raise self._meter.fault or EndedError("garbled", "bad_reply", str(error)) from error
        if self.results.ping >= _UNREACHED_MS:
            raise EndedError("garbled", "bad_reply", "latency.txt")

    def load(self, direction: str, max_bytes: int) -> None:
        """Run one direction until it is stopped, or `max_bytes` of payload have passed."""
        count = STREAMS + max_bytes // _SIDE_BYTES
        self.config["counts"][direction] = self.config["upload_max"] = count
        self._meter.allow(max_bytes)
        if direction == "download":
            self.download()
        else:
            self._upload()
        if self._meter.fault is not None:
            raise self._meter.fault

    def _upload(self) -> None:
        def body(length: int, start: float, timeout: float, shutdown_event: Stop) -> _RandomBody:
            return _RandomBody(length, start, timeout, shutdown_event, self._meter)

        speedtest.HTTPUploaderData = body
        self.upload(pre_allocate=False)

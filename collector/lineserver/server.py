"""The measurement server: a front that waits for requests, threads that answer them, a ledger."""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from agent.common import log
from agent.common.language import say
from agent.version import VERSION
from agent.wire import LineRecord
from collector.lineserver import descriptors, downloads
from collector.lineserver.front import Bounds, Front, Waiting
from collector.lineserver.handler import Handler
from collector.lineserver.head import pinged, test_of
from collector.lineserver.keys import Keys
from collector.lineserver.ledger import Counts, Ledger
from collector.lineserver.stream import Stream

_BACKLOG = 1024
#: Threads for requests that carry no test's bytes; each takes a few ms.
_WORKERS = 8
#: How often the keys of the schools that test are looked for, s.
_KEYS_S = 1.0
_PONG = (
    f"HTTP/1.1 200 OK\r\nServer: SchoolPulse/{VERSION}\r\nContent-Type: text/plain\r\n"
    "Content-Length: 10\r\nCache-Control: no-store, no-transform\r\n\r\ntest=test\n"
).encode()


class CannotListenError(OSError):
    """The address cannot be listened on; the message says why and names the fix."""


class LineServer:
    """The measurement server on `host`:`port`, where 0 is a free port.

    `on_record` gets the record of each test once, from any thread.

    Raises:
        CannotListenError: the port is in use, or the address is not of this machine.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_record: Callable[[LineRecord], None],
        ledger: Ledger | None = None,
        keys: Keys | None = None,
        bounds: Bounds | None = None,
        shelf: Path | None = None,
    ) -> None:
        """Without a `ledger` turns are not stored on disk; without `keys` no key is required.

        `shelf`: the folder of new versions of the agent that are handed out.
        """
        self._ledger = ledger or Ledger(on_record)
        self._keys = keys or Keys(None)
        try:
            self._listener = _listen(host, port)
        except OSError as error:
            raise CannotListenError(_why(host, port, error)) from error
        chosen = bounds or descriptors.bounds()
        self._front = Front(self._listener, self._take, self._quick, self._is_free, chosen)
        self._downloads = downloads.Downloads(shelf, self._ledger.is_testing)
        given = {
            "ledger": self._ledger, "keys": self._keys, "front": self._front,
            "downloads": self._downloads,
        }  # fmt: skip
        self._handler: type[Handler] = type("_Handler", (Handler,), given)
        self._requests: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._listener.getsockname()[1])

    @property
    def counts(self) -> Counts:
        """What the server has done since its start."""
        return self._ledger.counts

    def start(self) -> None:
        """Answer requests, in background threads."""
        self._ledger.start()
        for number in range(_WORKERS):
            _thread(f"line-request-{number}", self._work).start()
        _thread("line-keys", self._watch_keys).start()
        self._front.start()

    def stop(self) -> None:
        """Refuse new connections, end running tests, and free the port."""
        self._stopping.set()
        self._downloads.stop()
        self._front.stop()
        for _ in range(_WORKERS):
            self._requests.put(None)
        self._ledger.stop()
        self._listener.close()

    # ---- the front's thread

    def _is_free(self, head: bytes) -> bool:
        test = test_of(head)
        return bool(test) and self._ledger.find(test) is not None

    def _quick(self, head: bytes) -> bytes | None:
        """Answer times are measured with this request: no other thread is waited for."""
        test = pinged(head)
        return _PONG if test and self._ledger.find(test) is not None else None

    def _take(self, waits: Waiting) -> None:
        head = bytes(waits.buffer[:200])
        running = self._ledger.find(test_of(head))
        if running is None and downloads.is_file(head):
            self._hand_out(waits)
        elif running is None:
            self._requests.put(waits)
        elif running.reserve():

            def transfer() -> None:
                try:
                    self._serve(waits)
                finally:
                    running.release()

            _thread("line-transfer", transfer).start()
        else:
            self._ledger.refused("too_many_transfers", running.turn.wish.school)
            waits.socket.close()

    def _hand_out(self, waits: Waiting) -> None:
        if not self._downloads.begin(waits.address):
            with contextlib.suppress(OSError):
                waits.socket.send(downloads.BUSY)
            waits.socket.close()
            return

        def hand_out() -> None:
            try:
                self._serve(waits)
            finally:
                self._downloads.end(waits.address)

        _thread("line-release", hand_out).start()

    # ---- threads of their own

    def _work(self) -> None:
        while (waits := self._requests.get()) is not None:
            self._serve(waits)

    def _serve(self, waits: Waiting) -> None:
        stream = Stream(waits.socket, waits.buffer)
        try:
            kept = self._handler(stream, waits.peer).answer()
        except Exception as error:  # must not end a thread that others wait for
            log.error("request_failed", reason=error, at=log.where(error))
            kept = False
        if kept and not self._stopping.is_set():
            self._front.give_back(waits.socket, waits.peer, stream.rest)
        else:
            waits.socket.close()

    def _watch_keys(self) -> None:
        """End the tests of a school whose key has gone."""
        while not self._stopping.wait(_KEYS_S):
            for school in self._ledger.schools():
                if not self._keys.has(school):
                    self._ledger.revoke(school)


def _thread(name: str, target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=target, name=name, daemon=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return say(
            f"{where} 端口已被占用：换一个端口（--port），或停掉占用它的程序",
            f"{where} is in use: choose another port (--port), or stop the program that has it",
        )
    return say(f"不能监听 {where}：{error}", f"cannot listen on {where}: {error}")

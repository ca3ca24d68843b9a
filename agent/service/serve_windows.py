"""Being the Windows service: what the process that the service manager started tells it.

Windows gives a service 30 seconds to answer, so it answers first ("starting") and says that it
runs once the agent is up: `install` and the installer then tell of a start that failed.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

from agent.common import log
from agent.service.windows import NAME
from agent.windows import advapi as windows
from agent.windows.advapi import ServiceError, Status

_ACCEPTS = 0x1 | 0x4  # stop, shutdown
#: How long it may take, in ms: to open an outbox on a slow disk, to send what is under way.
_HINTS = {windows.START_PENDING: 60_000, windows.STOP_PENDING: 15_000}
_ANSWER_S = 30
_HANDLED = 0


def serve(body: Callable[[Callable[[], None]], int], stop: Callable[[], None]) -> int:
    """Be the service: run `body` in this thread until it ends; `stop` makes it end.

    `body` is given what it calls once it is up. Returns its exit code. Raises ServiceError
    where no manager started us (code 1063), or it does not know us.
    """
    control = _Control(stop)
    control.start()
    code = 1
    try:
        code = body(control.up)
    finally:
        control.ended(code)
    return code


class _Control:
    """Talks to the manager, in a thread of its own: Windows calls back and waits there."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._api = windows.advapi()
        self._handle: Any = None
        self._answered, self._over = threading.Event(), threading.Event()
        self._code = 0
        self._refused: ServiceError | None = None
        handler = windows.callback(ctypes.c_uint32, *[ctypes.c_uint32] * 2, *[ctypes.c_void_p] * 2)
        main = windows.callback(None, ctypes.c_uint32, ctypes.c_void_p)
        self._on_control, self._main = handler(self._control), main(self._service_main)
        self._thread = threading.Thread(target=self._dispatch, name="service", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._answered.wait(_ANSWER_S):
            raise ServiceError("StartServiceCtrlDispatcher", windows.TIMED_OUT)
        if self._refused:
            raise self._refused

    def up(self) -> None:
        """The agent runs."""
        if not self._over.is_set():
            self._say(windows.RUNNING)

    def ended(self, code: int) -> None:
        self._code = code
        self._over.set()
        self._thread.join(10)

    def _dispatch(self) -> None:
        class Entry(ctypes.Structure):
            _fields_ = (("name", ctypes.c_wchar_p), ("main", ctypes.c_void_p))

        main = ctypes.cast(self._main, ctypes.c_void_p)
        table = (Entry * 2)(Entry(NAME, main), Entry(None, None))
        if not self._api.StartServiceCtrlDispatcherW(ctypes.byref(table)):
            self._refuse("StartServiceCtrlDispatcher")

    def _service_main(self, _count: int, _words: Any) -> None:
        handler = ctypes.cast(self._on_control, ctypes.c_void_p)
        self._handle = self._api.RegisterServiceCtrlHandlerExW(NAME, handler, None)
        if not self._handle:
            return self._refuse("RegisterServiceCtrlHandlerEx")
        if not self._say(windows.START_PENDING):
            return self._refuse("SetServiceStatus")
        self._answered.set()
        self._over.wait()
        self._say(windows.STOPPED)
        return None

    def _refuse(self, what: str) -> None:
        """A service that its manager does not hear would run where nobody could stop it."""
        self._refused = ServiceError(what)
        self._answered.set()

    def _control(self, what: int, _kind: int, _data: Any, _context: Any) -> int:
        if what in (windows.STOP, windows.SHUTDOWN):
            self._say(windows.STOP_PENDING)
            self._stop()
            return _HANDLED
        return _HANDLED if what == windows.INTERROGATE else windows.NOT_IMPLEMENTED

    def _say(self, now: int) -> bool:
        accepts = _ACCEPTS if now == windows.RUNNING else 0
        exit_code = windows.SPECIFIC_ERROR if now == windows.STOPPED and self._code else 0
        hint = _HINTS.get(now, 0)
        status = Status(windows.OWN_PROCESS, now, accepts, exit_code, self._code, 0, hint)
        done = bool(self._api.SetServiceStatus(self._handle, ctypes.byref(status)))
        if not done:
            error = ServiceError("SetServiceStatus")
            log.error("service", state=now, reason=error)
        return done

"""The side of the Windows service that runs in its process: it reports to the service manager.

Windows gives a service 30 seconds to answer, so it reports "starting" first, and "running" once
the agent is up: that way `install` and the installer notice a start that failed.
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
#: The wait hint, ms: to open the outbox on a slow disk; to end the link and the outbox.
_HINTS = {windows.START_PENDING: 60_000, windows.STOP_PENDING: 15_000}
_ANSWER_S = 30
_HANDLED = 0


def serve(
    body: Callable[[Callable[[], None]], int], stop: Callable[[], None], name: str = NAME
) -> int:
    """Run `body` as the service `name`, in this thread, until it returns; `stop` must end it.

    `body` gets a function to call once it is up. Returns its exit code.

    Raises:
        ServiceError: the process was not started by the service manager (code 1063), or the
            manager does not know the service.
    """
    reporter = _Reporter(stop, name)
    reporter.start()
    code = 1
    try:
        code = body(reporter.up)
    finally:
        reporter.ended(code)
    return code


class _Reporter:
    """Reports to the service manager from a thread of its own, where Windows calls back."""

    def __init__(self, stop: Callable[[], None], name: str) -> None:
        self._stop, self._name = stop, name
        self._api = windows.advapi()
        self._handle: Any = None
        self._registered, self._ended = threading.Event(), threading.Event()
        self._code = 0
        self._error: ServiceError | None = None
        handler = windows.callback(ctypes.c_uint32, *[ctypes.c_uint32] * 2, *[ctypes.c_void_p] * 2)
        main = windows.callback(None, ctypes.c_uint32, ctypes.c_void_p)
        self._on_control, self._main = handler(self._control), main(self._service_main)
        self._thread = threading.Thread(target=self._dispatch, name="service", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._registered.wait(_ANSWER_S):
            raise ServiceError("StartServiceCtrlDispatcher", windows.TIMED_OUT)
        if self._error:
            raise self._error

    def up(self) -> None:
        """The agent is running."""
        if not self._ended.is_set():
            self._report(windows.RUNNING)

    def ended(self, code: int) -> None:
        self._code = code
        self._ended.set()
        self._thread.join(10)

    def _dispatch(self) -> None:
        class Entry(ctypes.Structure):
            _fields_ = (("name", ctypes.c_wchar_p), ("main", ctypes.c_void_p))

        main = ctypes.cast(self._main, ctypes.c_void_p)
        table = (Entry * 2)(Entry(self._name, main), Entry(None, None))
        if not self._api.StartServiceCtrlDispatcherW(ctypes.byref(table)):
            self._fail("StartServiceCtrlDispatcher")

    def _service_main(self, _count: int, _arguments: Any) -> None:
        handler = ctypes.cast(self._on_control, ctypes.c_void_p)
        self._handle = self._api.RegisterServiceCtrlHandlerExW(self._name, handler, None)
        if not self._handle:
            return self._fail("RegisterServiceCtrlHandlerEx")
        if not self._report(windows.START_PENDING):
            return self._fail("SetServiceStatus")
        self._registered.set()
        self._ended.wait()
        self._report(windows.STOPPED)
        return None

    def _fail(self, what: str) -> None:
        """End the start: a service that cannot report to its manager could not be stopped."""
        self._error = ServiceError(what)
        self._registered.set()

    def _control(self, what: int, _kind: int, _data: Any, _context: Any) -> int:
        if what in (windows.STOP, windows.SHUTDOWN):
            self._report(windows.STOP_PENDING)
            self._stop()
            return _HANDLED
        return _HANDLED if what == windows.INTERROGATE else windows.NOT_IMPLEMENTED

    def _report(self, now: int) -> bool:
        accepts = _ACCEPTS if now == windows.RUNNING else 0
        exit_code = windows.SPECIFIC_ERROR if now == windows.STOPPED and self._code else 0
        hint = _HINTS.get(now, 0)
        status = Status(windows.OWN_PROCESS, now, accepts, exit_code, self._code, 0, hint)
        done = bool(self._api.SetServiceStatus(self._handle, ctypes.byref(status)))
        if not done:
            error = ServiceError("SetServiceStatus")
            log.error("service", state=now, reason=error)
        return done

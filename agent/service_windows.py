"""The agent as a Windows service: it starts with the PC, and needs nobody to log in.

By the service control manager's own calls (advapi32), through ctypes: pywin32 would cost the
agent 10 MB of files for six functions.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

NAME = "SchoolPulseAgent"
TITLE = "SchoolPulse 校园脉搏 agent"
_WHAT = "Reports this PC's network line and classroom equipment. 上报本机的网络线路和教学设备。"

_OWN_PROCESS, _AUTO_START, _NORMAL = 0x10, 2, 1
_STOPPED, _START_PENDING, _STOP_PENDING, _RUNNING = 1, 2, 3, 4
_STOP, _SHUTDOWN = 1, 5
_ACCEPTS = 0x1 | 0x4
_MANAGER_ALL, _SERVICE_ALL = 0xF003F, 0xF01FF
_DESCRIPTION, _FAILURE_ACTIONS, _DELAYED = 1, 2, 3
_RESTART = 1
#: Started again after so many ms; a day without a fault forgets the count.
_RESTARTS_MS = (5_000, 60_000, 300_000)
_FORGET_S = 86_400
_SPECIFIC_ERROR = 1066
_MARKED, _EXISTS = 1072, 1073  # for deletion already; by this name
_TIMED_OUT, _RUNS, _STARTS = 1053, 1056, 3
_MOMENTS = 300  # of a tenth of a second


class _Status(ctypes.Structure):
    """SERVICE_STATUS."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("kind", "state", "accepts", "exit", "specific", "checkpoint", "hint")
    )


class _Action(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("delay", ctypes.c_uint32))


class _Actions(ctypes.Structure):
    _fields_ = (
        ("reset", ctypes.c_uint32), ("reboot", ctypes.c_wchar_p), ("command", ctypes.c_wchar_p),
        ("count", ctypes.c_uint32), ("actions", ctypes.POINTER(_Action)),
    )  # fmt: skip


class ServiceError(Exception):
    """The service control manager refused; `code` is Windows' number."""

    def __init__(self, what: str) -> None:
        self.code = ctypes_error()
        super().__init__(f"{what}: {_words(self.code)}")


def install(command: str, wait: Callable[[], object]) -> None:
    """Make the service that runs `command`, and start it. `wait` passes a moment.

    Raises:
        ServiceError: no right to, or Windows will not.
    """
    with _manager() as (api, manager):
        for _ in range(_MOMENTS):
            service = api.CreateServiceW(
                manager, NAME, TITLE, _SERVICE_ALL, _OWN_PROCESS, _AUTO_START, _NORMAL, command,
                None, None, None, None, None,
            )  # fmt: skip
            # The one before is gone when nobody looks at it any more.
            if service or ctypes_error() not in (_MARKED, _EXISTS):
                break
            wait()
        if not service:
            raise ServiceError("CreateService")
        with _closing(api, service):
            _describe(api, service)
            for _ in range(_STARTS):
                if api.StartServiceW(service, 0, None) or ctypes_error() == _RUNS:
                    return
                if ctypes_error() != _TIMED_OUT:  # a slow PC gets another try
                    break
            raise ServiceError("StartService")


def uninstall(wait: Callable[[], object]) -> bool:
    """Stop and remove the service; whether there was one. `wait` passes a moment.

    Raises:
        ServiceError.
    """
    with _manager() as (api, manager):
        service = api.OpenServiceW(manager, NAME, _SERVICE_ALL)
        if not service:
            return False
        with _closing(api, service):
            status = _Status()
            api.ControlService(service, _STOP, ctypes.byref(status))
            for _ in range(_MOMENTS):
                api.QueryServiceStatus(service, ctypes.byref(status))
                if status.state == _STOPPED:
                    break
                wait()
            if not api.DeleteService(service) and ctypes_error() != _MARKED:
                raise ServiceError("DeleteService")
    return True


def state() -> str:
    """running, stopped, starting, stopping, or empty where there is no service."""
    names = {_RUNNING: "running", _STOPPED: "stopped", _START_PENDING: "starting"}
    with _manager(0x1) as (api, manager):
        service = api.OpenServiceW(manager, NAME, 0x4)
        if not service:
            return ""
        with _closing(api, service):
            status = _Status()
            api.QueryServiceStatus(service, ctypes.byref(status))
            return names.get(status.state, "stopping")


def serve(body: Callable[[], int], stop: Callable[[], None]) -> int:
    """Be the service: run `body` in this thread until it ends; `stop` makes it end.

    Returns the exit code of `body`. Raises ServiceError where no manager started us.
    """
    control = _Control(stop)
    control.start()
    code = 1
    try:
        code = body()
    finally:
        control.ended(code)
    return code


class _Control:
    """Talks to the manager, in a thread of its own: Windows calls back and waits there."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._api = _advapi()
        self._handle: Any = None
        self._up, self._over = threading.Event(), threading.Event()
        self._code, self._refused = 0, ""
        handler = _winfunc(ctypes.c_uint32, *[ctypes.c_uint32] * 2, *[ctypes.c_void_p] * 2)
        main = _winfunc(None, ctypes.c_uint32, ctypes.c_void_p)
        self._on_control, self._main = handler(self._control), main(self._service_main)
        self._thread = threading.Thread(target=self._dispatch, name="service", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._up.wait(30)
        if self._refused:
            raise ServiceError(self._refused)

    def ended(self, code: int) -> None:
        self._code = code
        self._over.set()
        self._thread.join(10)

    def _dispatch(self) -> None:
        class Entry(ctypes.Structure):
            _fields_ = (("name", ctypes.c_wchar_p), ("main", ctypes.c_void_p))

        main = ctypes.cast(self._main, ctypes.c_void_p)
        table = (Entry * 2)(Entry(NAME, main), Entry(None, None))
        if not self._api.StartServiceCtrlDispatcherW(table):
            self._refused = "StartServiceCtrlDispatcher"
            self._up.set()

    def _service_main(self, _count: int, _words: Any) -> None:
        self._handle = self._api.RegisterServiceCtrlHandlerExW(NAME, self._on_control, None)
        self._say(_RUNNING)
        self._up.set()
        self._over.wait()
        self._say(_STOPPED)

    def _control(self, what: int, _kind: int, _data: Any, _context: Any) -> int:
        if what in (_STOP, _SHUTDOWN):
            self._say(_STOP_PENDING)
            self._stop()
        else:
            self._say(_STOP_PENDING if self._over.is_set() else _RUNNING)
        return 0

    def _say(self, now: int) -> None:
        accepts = _ACCEPTS if now == _RUNNING else 0
        exit_code = _SPECIFIC_ERROR if now == _STOPPED and self._code else 0
        hint = 15_000 if now == _STOP_PENDING else 0
        status = _Status(_OWN_PROCESS, now, accepts, exit_code, self._code, 0, hint)
        self._api.SetServiceStatus(self._handle, ctypes.byref(status))


def _describe(api: Any, service: Any) -> None:
    """What people read; restarts after a fault; a start that leaves the PC to its user first."""
    text = ctypes.c_wchar_p(_WHAT)
    api.ChangeServiceConfig2W(service, _DESCRIPTION, ctypes.byref(text))
    actions = (_Action * len(_RESTARTS_MS))(*(_Action(_RESTART, ms) for ms in _RESTARTS_MS))
    failure = _Actions(_FORGET_S, None, None, len(actions), actions)
    api.ChangeServiceConfig2W(service, _FAILURE_ACTIONS, ctypes.byref(failure))
    delayed = ctypes.c_int(1)
    api.ChangeServiceConfig2W(service, _DELAYED, ctypes.byref(delayed))


@contextlib.contextmanager
def _manager(access: int = _MANAGER_ALL) -> Iterator[tuple[Any, Any]]:
    api = _advapi()
    manager = api.OpenSCManagerW(None, None, access)
    if not manager:
        raise ServiceError("OpenSCManager")
    with _closing(api, manager):
        yield api, manager


@contextlib.contextmanager
def _closing(api: Any, handle: Any) -> Iterator[None]:
    try:
        yield
    finally:
        api.CloseServiceHandle(handle)


def _advapi() -> Any:
    if sys.platform != "win32":
        raise OSError("not Windows")
    api = ctypes.WinDLL("advapi32", use_last_error=True)
    handle, text, number = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32
    for name in ("OpenSCManagerW", "CreateServiceW", "OpenServiceW"):
        getattr(api, name).restype = handle
    api.RegisterServiceCtrlHandlerExW.restype = handle
    api.OpenServiceW.argtypes = (handle, text, number)
    api.CreateServiceW.argtypes = (
        handle, text, text, number, number, number, number, text, text, handle, text, text, text,
    )  # fmt: skip
    api.StartServiceW.argtypes = (handle, number, handle)
    api.ControlService.argtypes = (handle, number, handle)
    api.QueryServiceStatus.argtypes = (handle, handle)
    api.SetServiceStatus.argtypes = (handle, handle)
    api.ChangeServiceConfig2W.argtypes = (handle, number, handle)
    api.DeleteService.argtypes = api.CloseServiceHandle.argtypes = (handle,)
    return api


def _winfunc(*types: Any) -> Any:
    if sys.platform == "win32":
        return ctypes.WINFUNCTYPE(*types)
    return ctypes.CFUNCTYPE(*types)


def ctypes_error() -> int:
    """Windows' number for what went wrong last."""
    if sys.platform == "win32":
        return ctypes.get_last_error()
    return 0


def _words(code: int) -> str:
    if sys.platform == "win32":
        return ctypes.FormatError(code)
    return str(code)

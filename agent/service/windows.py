"""The agent as a Windows service, seen from outside: made, started, stopped, removed.

What the service's own process does is in `agent.service.serve_windows`.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

from agent.windows import advapi as windows
from agent.windows.advapi import ServiceError, closing, last_error, manager, query

NAME = "SchoolPulseAgent"
TITLE = "SchoolPulse 校园脉搏 agent"
_WHAT = "Reports this PC's network line and classroom equipment. 上报本机的网络线路和教学设备。"

_AUTO_START, _NORMAL, _SERVICE_ALL = 2, 1, 0xF01FF
_CONNECT, _QUERY = 0x1, 0x4
_DESCRIPTION, _FAILURE_ACTIONS, _DELAYED, _NOT_ONLY_CRASHES = 1, 2, 3, 4
_RESTART = 1
#: Started again after so many ms; a day without a fault forgets the count.
_RESTARTS_MS = (5_000, 60_000, 300_000)
_FORGET_S = 86_400
#: A cold disk and a virus scanner may cost the first start its time; the second finds all warm.
_STARTS = 2
_MOMENTS = 300  # of a tenth of a second
_STOP_S, _GONE_S = 30, 20

Wait = Callable[[], object]


class _Action(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("delay", ctypes.c_uint32))


class _Actions(ctypes.Structure):
    _fields_ = (
        ("reset", ctypes.c_uint32), ("reboot", ctypes.c_wchar_p), ("command", ctypes.c_wchar_p),
        ("count", ctypes.c_uint32), ("actions", ctypes.POINTER(_Action)),
    )  # fmt: skip


def install(command: str, wait: Wait) -> None:
    """Make the service that runs `command`; it starts with the PC. `wait` passes a moment.

    Raises:
        ServiceError: no right to, or Windows will not.
    """
    with manager() as (api, handle):
        for _ in range(_MOMENTS):
            service = api.CreateServiceW(
                handle, NAME, TITLE, _SERVICE_ALL, windows.OWN_PROCESS, _AUTO_START, _NORMAL,
                command, None, None, None, None, None,
            )  # fmt: skip
            # The one before is gone when nobody looks at it any more.
            if service or last_error() not in (windows.MARKED, windows.EXISTS):
                break
            wait()
        if not service:
            raise ServiceError("CreateService")
        with closing(api, service):
            _describe(api, service)


def start(wait: Wait) -> None:
    """Start the service, and wait until it runs.

    Raises:
        ServiceError: it does not; `code` is 1053 where it did not answer in time, and the
            service's own where it ended again.
    """
    with manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, NAME, _SERVICE_ALL)
        if not service:
            raise ServiceError("OpenService")
        with closing(api, service):
            for _ in range(_STARTS):
                if api.StartServiceW(service, 0, None) or last_error() == windows.RUNS:
                    return _await_running(api, service, wait)
                if last_error() != windows.TIMED_OUT:
                    break
            raise ServiceError("StartService")


def stop(wait: Wait) -> bool:
    """Stop the service and wait for the end of its process; whether there is one.

    It starts again with the PC. Raises ServiceError.
    """
    with manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, NAME, _SERVICE_ALL)
        if not service:
            return _absent()
        with closing(api, service):
            _stop(api, service, wait)
    return True


def uninstall(wait: Wait) -> bool:
    """Stop and remove the service; whether there was one. `wait` passes a moment.

    Raises:
        ServiceError.
    """
    with manager() as (api, handle):
        service = api.OpenServiceW(handle, NAME, _SERVICE_ALL)
        if not service:
            return _absent()
        with closing(api, service):
            _stop(api, service, wait)
            if not api.DeleteService(service) and last_error() != windows.MARKED:
                raise ServiceError("DeleteService")
    return True


def state() -> str:
    """running, stopped, starting, stopping, or empty where there is no service."""
    names = {
        windows.RUNNING: "running", windows.STOPPED: "stopped", windows.START_PENDING: "starting",
    }  # fmt: skip
    with manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, NAME, _QUERY)
        if not service:
            return ""
        with closing(api, service):
            return names.get(query(api, service).state, "stopping")


def _absent() -> bool:
    if last_error() != windows.NO_SUCH_SERVICE:
        raise ServiceError("OpenService")
    return False


def _await_running(api: Any, service: Any, wait: Wait) -> None:
    """Raises ServiceError where the service ends again, or is not up in time."""
    for _ in range(_MOMENTS):
        status = query(api, service)
        if status.state == windows.RUNNING:
            return
        if status.state == windows.STOPPED:
            raise ServiceError("StartService", status.exit or windows.ABORTED)
        wait()
    raise ServiceError("StartService", windows.TIMED_OUT)


def _stop(api: Any, service: Any, wait: Wait) -> None:
    """Until the process has ended, for it holds the program's files; one that hangs is ended.

    A report that it had not sent is in the outbox, whatever way it ends.
    """
    with windows.process(query(api, service).pid) as process:
        until = time.monotonic() + _STOP_S  # one that hangs keeps each call waiting
        while (status := query(api, service)).state != windows.STOPPED:
            if time.monotonic() > until:
                break
            if status.state != windows.STOP_PENDING:  # while it starts, it may refuse
                api.ControlService(service, windows.STOP, ctypes.byref(status))
            wait()
        if status.state != windows.STOPPED or not windows.gone(process, _GONE_S):
            windows.end(process)
            windows.gone(process, _GONE_S)


def _describe(api: Any, service: Any) -> None:
    """What people read; restarts after a fault; a start that leaves the PC to its user first."""
    text = ctypes.c_wchar_p(_WHAT)
    api.ChangeServiceConfig2W(service, _DESCRIPTION, ctypes.byref(text))
    actions = (_Action * len(_RESTARTS_MS))(*(_Action(_RESTART, ms) for ms in _RESTARTS_MS))
    failure = _Actions(_FORGET_S, None, None, len(actions), actions)
    yes = ctypes.c_int(1)
    if not api.ChangeServiceConfig2W(service, _FAILURE_ACTIONS, ctypes.byref(failure)):
        raise ServiceError("ChangeServiceConfig2")
    # An end with an error code is a fault too. Wine knows neither this level nor the next.
    api.ChangeServiceConfig2W(service, _NOT_ONLY_CRASHES, ctypes.byref(yes))
    api.ChangeServiceConfig2W(service, _DELAYED, ctypes.byref(yes))

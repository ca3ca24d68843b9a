"""The agent's Windows service, managed from outside: created, started, stopped, removed.

The side that runs in the service's own process is `agent.service.serve_windows`.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from agent.windows import advapi as windows
from agent.windows import rights, sddl
from agent.windows.advapi import ServiceError, closing, last_error, manager, query

NAME = "SchoolPulseAgent"
#: Windows' own for this service: no password, no rights but those that its SID is given.
ACCOUNT = f"NT SERVICE\\{NAME}"
TITLE = "SchoolPulse 校园脉搏 agent"
_ABOUT = "Reports this PC's network line and classroom equipment. 上报本机的网络线路和教学设备。"

_AUTO_START, _NORMAL, _SERVICE_ALL = 2, 1, 0xF01FF
_CONNECT, _QUERY, _QUERY_CONFIG = 0x1, 0x4, 0x1
_DESCRIPTION, _FAILURE_ACTIONS, _DELAYED, _NOT_ONLY_CRASHES = 1, 2, 3, 4
_RESTART = 1
#: Restarted after so many ms; a day without a failure resets the count.
_RESTARTS_MS = (5_000, 60_000, 300_000)
_RESET_S = 86_400
#: With a cold disk and a virus scanner the first start may time out; the second is faster.
_STARTS = 2
_MAX_WAITS = 300  # of a tenth of a second each
_STOP_S, _EXIT_S = 30, 20

Wait = Callable[[], object]

#: What any service has, in Windows' own notation: the system, administrators, people, services.
_DEFAULT = (
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
)


class Kind(NamedTuple):
    """A service of ours; without an account it runs as the system."""

    name: str
    title: str
    about: str
    account: str | None


AGENT = Kind(NAME, TITLE, _ABOUT, ACCOUNT)


class _Action(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("delay", ctypes.c_uint32))


class _Actions(ctypes.Structure):
    _fields_ = (
        ("reset", ctypes.c_uint32), ("reboot", ctypes.c_wchar_p), ("command", ctypes.c_wchar_p),
        ("count", ctypes.c_uint32), ("actions", ctypes.POINTER(_Action)),
    )  # fmt: skip


def pause() -> None:
    """A moment, for whoever has no clock of its own to wait by."""
    time.sleep(0.1)


def install(command: str, wait: Wait, kind: Kind = AGENT) -> None:
    """Create the service that runs `command` at each start of the PC; `wait` sleeps 0.1 s.

    Raises:
        ServiceError: access denied, or Windows refuses.
    """
    with manager() as (api, handle):
        for _ in range(_MAX_WAITS):
            service = api.CreateServiceW(
                handle, kind.name, kind.title, _SERVICE_ALL, windows.OWN_PROCESS, _AUTO_START,
                _NORMAL, command, None, None, None, kind.account, None,
            )  # fmt: skip
            # An old service is deleted only when no program has a handle of it open any more.
            if service or last_error() not in (windows.MARKED, windows.EXISTS):
                break
            wait()
        if not service:
            raise ServiceError("CreateService")
        with closing(api, service):
            _describe(api, service, kind.about)


def grant(name: str, to: str, wanted: int) -> None:
    """Let the account of the service `to` do `wanted` with the service `name`.

    Raises:
        ServiceError, OSError: Windows refuses.
    """
    with _opened(name) as (api, service):
        text = f"{_DEFAULT}(A;;{wanted:#x};;;{sddl.service_sid(to)})"
        rights.write_service(api, service, text)


def repoint(name: str, command: str) -> None:
    """Have the service run `command` from its next start on. Raises ServiceError."""
    same = 0xFFFFFFFF  # SERVICE_NO_CHANGE
    with _opened(name) as (api, service):
        if not api.ChangeServiceConfigW(
            service, same, same, same, command, None, None, None, None, None, None
        ):
            raise ServiceError("ChangeServiceConfig")


def start(wait: Wait) -> None:
    """Start the service, and wait until it runs.

    Raises:
        ServiceError: it does not run; `code` is 1053 where it did not answer in time, and the
            service's own where it ended again.
    """
    with _opened(NAME) as (api, service):
        for _ in range(_STARTS):
            if api.StartServiceW(service, 0, None) or last_error() == windows.RUNS:
                return _await_running(api, service, wait)
            if last_error() != windows.TIMED_OUT:
                break
        raise ServiceError("StartService")


@contextmanager
def _opened(name: str) -> Iterator[tuple[Any, Any]]:
    """Windows' functions, and a handle of the service. Raises ServiceError: there is none."""
    with manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, name, _SERVICE_ALL)
        if not service:
            raise ServiceError("OpenService")
        with closing(api, service):
            yield api, service


def stop(wait: Wait, name: str = NAME) -> bool:
    """Stop the service until the PC starts again, and wait for the end of its process.

    Returns whether there is a service.

    Raises:
        ServiceError: Windows refuses.
    """
    with manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, name, _SERVICE_ALL)
        if not service:
            return _absent()
        with closing(api, service):
            _stop(api, service, wait)
    return True


def uninstall(wait: Wait, name: str = NAME) -> bool:
    """Stop and remove the service; returns whether there was one.

    Raises:
        ServiceError: Windows refuses.
    """
    with manager() as (api, handle):
        service = api.OpenServiceW(handle, name, _SERVICE_ALL)
        if not service:
            return _absent()
        with closing(api, service):
            _stop(api, service, wait)
            if not api.DeleteService(service) and last_error() != windows.MARKED:
                raise ServiceError("DeleteService")
    return True


def runs(command: str) -> bool:
    """Whether the service is there as `install` makes it, and running."""
    with manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, NAME, _QUERY | _QUERY_CONFIG)
        if not service:
            return False
        with closing(api, service):
            found, account = windows.configured(api, service)
            same = found == command and account.lower() == ACCOUNT.lower()
            return same and query(api, service).state == windows.RUNNING


def state() -> str:
    """running, stopped, starting or stopping; empty where there is no service."""
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
    """Wait until the service runs; raises ServiceError where it ends again or is not up in time."""
    for _ in range(_MAX_WAITS):
        status = query(api, service)
        if status.state == windows.RUNNING:
            return
        if status.state == windows.STOPPED:
            raise ServiceError("StartService", status.exit or windows.ABORTED)
        wait()
    raise ServiceError("StartService", windows.TIMED_OUT)


def _stop(api: Any, service: Any, wait: Wait) -> None:
    """Stop the service and wait for the end of its process, which holds the program's files.

    A process that hangs is terminated; reports that it has not sent are safe in the outbox.
    """
    with windows.process(query(api, service).pid) as process:
        until = time.monotonic() + _STOP_S  # a service that hangs makes each call wait
        while (status := query(api, service)).state != windows.STOPPED:
            if time.monotonic() > until:
                break
            if status.state != windows.STOP_PENDING:  # repeated: while starting, it may refuse
                api.ControlService(service, windows.STOP, ctypes.byref(status))
            wait()
        if status.state != windows.STOPPED or not windows.wait_for_exit(process, _EXIT_S):
            windows.terminate(process)
            windows.wait_for_exit(process, _EXIT_S)


def _describe(api: Any, service: Any, about: str) -> None:
    """Set the description, restarts after a failure, and the delayed start at boot."""
    text = ctypes.c_wchar_p(about)
    api.ChangeServiceConfig2W(service, _DESCRIPTION, ctypes.byref(text))
    actions = (_Action * len(_RESTARTS_MS))(*(_Action(_RESTART, ms) for ms in _RESTARTS_MS))
    failure = _Actions(_RESET_S, None, None, len(actions), actions)
    yes = ctypes.c_int(1)
    if not api.ChangeServiceConfig2W(service, _FAILURE_ACTIONS, ctypes.byref(failure)):
        raise ServiceError("ChangeServiceConfig2")
    # An exit with an error code counts as a failure too. Wine knows neither of these two levels.
    api.ChangeServiceConfig2W(service, _NOT_ONLY_CRASHES, ctypes.byref(yes))
    api.ChangeServiceConfig2W(service, _DELAYED, ctypes.byref(yes))

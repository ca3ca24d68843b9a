"""The calls of the Windows service control manager (advapi32), through ctypes.

pywin32 would add 10 MB of files to the agent for a dozen functions.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from typing import Any

STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
OWN_PROCESS = 0x10
STOP, INTERROGATE, SHUTDOWN = 1, 4, 5  # SERVICE_CONTROL_*
#: Windows error numbers.
TIMED_OUT, RUNS, NO_SUCH_SERVICE, MARKED, EXISTS = 1053, 1056, 1060, 1072, 1073
SPECIFIC_ERROR, ABORTED, NOT_IMPLEMENTED = 1066, 1067, 120
_MANAGER_ALL = 0xF003F
_STATUS_PROCESS = 0  # SC_STATUS_PROCESS_INFO
_SYNCHRONIZE, _TERMINATE = 0x100000, 0x1


class Status(ctypes.Structure):
    """SERVICE_STATUS_PROCESS; without its last two fields it is a SERVICE_STATUS."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in (
            "kind", "state", "accepts", "exit", "specific", "checkpoint", "hint", "pid", "flags",
        )
    )  # fmt: skip


class ServiceConfig(ctypes.Structure):
    """QUERY_SERVICE_CONFIG."""

    _fields_ = (
        ("kind", ctypes.c_uint32), ("start", ctypes.c_uint32), ("control", ctypes.c_uint32),
        ("command", ctypes.c_wchar_p), ("group", ctypes.c_wchar_p), ("tag", ctypes.c_uint32),
        ("dependencies", ctypes.c_void_p), ("account", ctypes.c_wchar_p),
        ("title", ctypes.c_wchar_p),
    )  # fmt: skip


class ServiceError(Exception):
    """The call `what` failed; `code` is the Windows error number."""

    def __init__(self, what: str, code: int | None = None) -> None:
        self.code = last_error() if code is None else code
        super().__init__(f"{what}: {_message(self.code)} ({self.code})")


@contextlib.contextmanager
def manager(access: int = _MANAGER_ALL) -> Iterator[tuple[Any, Any]]:
    """advapi32, and a handle of the service control manager.

    Raises:
        ServiceError: this user may not open it.
    """
    api = advapi()
    handle = api.OpenSCManagerW(None, None, access)
    if not handle:
        raise ServiceError("OpenSCManager")
    with closing(api, handle):
        yield api, handle


@contextlib.contextmanager
def closing(api: Any, handle: Any) -> Iterator[None]:
    """Close the handle of a service or the manager; an open one keeps a deleted service alive."""
    try:
        yield
    finally:
        api.CloseServiceHandle(handle)


def query(api: Any, service: Any) -> Status:
    """The state of the service, and its process id.

    Raises:
        ServiceError: the call failed.
    """
    status, needed = Status(), ctypes.c_uint32()
    size = ctypes.sizeof(status)
    buffer = ctypes.byref(status)
    if not api.QueryServiceStatusEx(service, _STATUS_PROCESS, buffer, size, ctypes.byref(needed)):
        raise ServiceError("QueryServiceStatusEx")
    return status


def configured(api: Any, service: Any) -> tuple[str, str]:
    """The command line and the account of the service.

    Raises:
        ServiceError: the call failed.
    """
    buffer, needed = ctypes.create_string_buffer(8192), ctypes.c_uint32()
    if not api.QueryServiceConfigW(service, buffer, len(buffer), ctypes.byref(needed)):
        raise ServiceError("QueryServiceConfig")
    found = ServiceConfig.from_buffer(buffer)
    return found.command or "", found.account or ""


@contextlib.contextmanager
def process(pid: int) -> Iterator[Any]:
    """A handle of the process, to wait for its end or terminate it; None where there is none."""
    kernel = _kernel()
    handle = kernel.OpenProcess(_SYNCHRONIZE | _TERMINATE, 0, pid) if pid else None
    try:
        yield handle
    finally:
        if handle:
            kernel.CloseHandle(handle)


def wait_for_exit(handle: Any, seconds: float) -> bool:
    """Wait for the end of a process, which closes its files; whether it ended in time."""
    return not handle or _kernel().WaitForSingleObject(handle, int(seconds * 1000)) == 0


def terminate(handle: Any) -> None:
    """Terminate a process that does not end by itself."""
    if handle:
        _kernel().TerminateProcess(handle, 1)


def advapi() -> Any:
    """advapi32, with argument types declared: by default ctypes cuts handles to 32 bits."""
    if sys.platform != "win32":
        raise OSError("not Windows")
    api = ctypes.WinDLL("advapi32", use_last_error=True)
    handle, text, number = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32
    for name in ("OpenSCManagerW", "CreateServiceW", "OpenServiceW"):
        getattr(api, name).restype = handle
    api.OpenSCManagerW.argtypes = (text, text, number)
    api.OpenServiceW.argtypes = (handle, text, number)
    api.CreateServiceW.argtypes = (
        handle, text, text, number, number, number, number, text, text, handle, text, text, text,
    )  # fmt: skip
    api.StartServiceW.argtypes = (handle, number, handle)
    api.ControlService.argtypes = (handle, number, handle)
    api.QueryServiceConfigW.argtypes = (handle, handle, number, handle)
    api.QueryServiceStatusEx.argtypes = (handle, number, handle, number, handle)
    api.ChangeServiceConfig2W.argtypes = (handle, number, handle)
    api.ChangeServiceConfigW.argtypes = (
        handle, number, number, number, text, text, handle, text, text, text, text,
    )  # fmt: skip
    api.SetServiceObjectSecurity.argtypes = (handle, number, handle)
    api.DeleteService.argtypes = api.CloseServiceHandle.argtypes = (handle,)
    api.RegisterServiceCtrlHandlerExW.argtypes = (text, handle, handle)
    api.RegisterServiceCtrlHandlerExW.restype = handle
    api.SetServiceStatus.argtypes = (handle, handle)
    api.StartServiceCtrlDispatcherW.argtypes = (handle,)
    return api


def _kernel() -> Any:
    if sys.platform != "win32":
        raise OSError("not Windows")
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    handle, number = ctypes.c_void_p, ctypes.c_uint32
    kernel.OpenProcess.argtypes, kernel.OpenProcess.restype = (number, number, number), handle
    kernel.WaitForSingleObject.argtypes = kernel.TerminateProcess.argtypes = (handle, number)
    kernel.CloseHandle.argtypes = (handle,)
    return kernel


def callback(*types: Any) -> Any:
    """The ctypes type of a function that Windows calls: its result, then its arguments."""
    if sys.platform == "win32":
        return ctypes.WINFUNCTYPE(*types)
    return ctypes.CFUNCTYPE(*types)


def last_error() -> int:
    """The error number of the last call."""
    if sys.platform == "win32":
        return ctypes.get_last_error()
    return 0


def _message(code: int) -> str:
    if sys.platform == "win32":
        return ctypes.FormatError(code).rstrip(".。")
    return str(code)

"""The rights of files, read and set through advapi32, as SDDL (`agent.windows.sddl`)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.windows import sddl

_FILE = 1  # SE_FILE_OBJECT
_OWNER, _DACL = 0x1, 0x4
_PROTECTED, _INHERITING = 0x80000000, 0x20000000
_REVISION = 1


def read(path: Path) -> str:
    """Owner and DACL of a file or folder.

    Raises:
        OSError: they cannot be read.
    """
    api, kernel = _libraries()
    descriptor, text = ctypes.c_void_p(), ctypes.c_void_p()
    asked = _OWNER | _DACL
    code = api.GetNamedSecurityInfoW(
        str(path), _FILE, asked, None, None, None, None, ctypes.byref(descriptor)
    )
    _check(code, path)
    try:
        made = api.ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor, _REVISION, asked, ctypes.byref(text), None
        )
        _check(0 if made else _last(), path)
        try:
            return ctypes.wstring_at(text.value or 0)
        finally:
            kernel.LocalFree(text)
    finally:
        kernel.LocalFree(descriptor)


def write(path: Path, wanted: str, *, inherit: bool = False) -> None:
    """Set the DACL; `inherit`: with what the folder above grants, else that alone.

    Raises:
        OSError: it cannot be set.
    """
    dacl, present, defaulted = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
    with _descriptor(wanted, path) as (api, descriptor):
        found = api.GetSecurityDescriptorDacl(
            descriptor, ctypes.byref(present), ctypes.byref(dacl), ctypes.byref(defaulted)
        )
        _check(0 if found else _last(), path)
        what = _DACL | (_INHERITING if inherit else _PROTECTED)
        _check(api.SetNamedSecurityInfoW(str(path), _FILE, what, None, None, dacl, None), path)
        # Wine adds what the folder above grants all the same; this call sets the object alone.
        if not inherit and sddl.others(read(path), sddl.READ, *sddl.named(wanted)):
            _check(0 if api.SetFileSecurityW(str(path), what, descriptor) else _last(), path)


def write_service(api: Any, service: Any, wanted: str) -> None:
    """Set the DACL of a service by its handle.

    Raises:
        OSError: it cannot be set.
    """
    name = Path("service")
    with _descriptor(wanted, name) as (_, descriptor):
        done = api.SetServiceObjectSecurity(service, _DACL, descriptor)
        _check(0 if done else _last(), name)


@contextmanager
def _descriptor(text: str, path: Path) -> Iterator[tuple[Any, ctypes.c_void_p]]:
    """The library that made it, and the descriptor of a text; freed at the end. Raises OSError."""
    api, kernel = _libraries()
    descriptor = ctypes.c_void_p()
    made = api.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        text, _REVISION, ctypes.byref(descriptor), None
    )
    _check(0 if made else _last(), path)
    try:
        yield api, descriptor
    finally:
        kernel.LocalFree(descriptor)


def _check(code: int, path: Path) -> None:
    if not code:
        return
    if sys.platform == "win32":
        raise OSError(None, ctypes.FormatError(code), str(path), code)
    raise OSError(code, "", str(path))


def _last() -> int:
    if sys.platform == "win32":
        return ctypes.get_last_error()
    return 0


def _libraries() -> tuple[Any, Any]:
    if sys.platform != "win32":
        raise OSError("not Windows")
    api = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    pointer, text, number = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32
    kernel.LocalFree.argtypes, kernel.LocalFree.restype = (pointer,), pointer
    api.GetNamedSecurityInfoW.argtypes = (text, ctypes.c_int, number, *[pointer] * 5)
    api.SetNamedSecurityInfoW.argtypes = (text, ctypes.c_int, number, *[pointer] * 4)
    to_text = api.ConvertSecurityDescriptorToStringSecurityDescriptorW
    to_text.argtypes = (pointer, number, number, pointer, pointer)
    from_text = api.ConvertStringSecurityDescriptorToSecurityDescriptorW
    from_text.argtypes = (text, number, pointer, pointer)
    api.SetFileSecurityW.argtypes = (text, number, pointer)
    api.GetSecurityDescriptorDacl.argtypes = (pointer,) * 4
    return api, kernel

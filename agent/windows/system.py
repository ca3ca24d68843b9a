"""Access to Windows by ctypes and winreg: SetupAPI, registry, firmware table, display outputs.

No PowerShell and no WMI: starting either costs an old PC seconds and 100 MB. All of it works in
a service, except `outputs`, which needs a desktop.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.windows.boundary import Present, Value

_RSMB = 0x52534D42
_PRESENT, _ALL_CLASSES = 0x2, 0x4
#: SPDRP_*: which property of a device SetupDiGetDeviceRegistryProperty gives.
_DESCRIPTION, _HARDWARE_IDS, _COMPATIBLE_IDS, _SERVICE = 0x0, 0x1, 0x2, 0x4
_MAKER, _FRIENDLY_NAME, _REMOVAL = 0xB, 0xC, 0x1F
_QUERY_PROPERTY, _BUS_USB, _MOST_DISKS = 0x2D1400, 7, 8
_ACTIVE_PATHS = 2  # QDC_ONLY_ACTIVE_PATHS
_GET_TARGET_NAME = 2  # DISPLAYCONFIG_DEVICE_INFO_GET_TARGET_NAME
_ROWS_AT, _ROW_BYTES, _MAC_BYTES = 8, 1352, 6  # of MIB_IF_TABLE2
_PATH_BYTES, _MODE_BYTES, _TARGET_NAME_BYTES = 72, 64, 420


class _Guid(ctypes.Structure):
    _fields_ = (
        ("a", ctypes.c_uint32), ("b", ctypes.c_uint16), ("c", ctypes.c_uint16),
        ("d", ctypes.c_ubyte * 8),
    )  # fmt: skip


class _DeviceInfo(ctypes.Structure):
    """SP_DEVINFO_DATA."""

    _fields_ = (
        ("size", ctypes.c_uint32), ("setup_class", _Guid), ("devinst", ctypes.c_uint32),
        ("reserved", ctypes.c_void_p),
    )  # fmt: skip


class Windows:
    """`agent.windows.System` of the PC we run on."""

    def devices(self, setup_class: str = "", enumerator: str = "") -> Sequence[Present]:
        """By SetupDiGetClassDevs with DIGCF_PRESENT."""
        return tuple(_devices(setup_class, enumerator))

    def values(self, key: str) -> Mapping[str, Value]:
        """By winreg, in the 64-bit view."""
        with _opened(key) as opened:
            if opened is None or sys.platform != "win32":
                return {}
            import winreg

            rows = [winreg.EnumValue(opened, i) for i in range(winreg.QueryInfoKey(opened)[1])]
        return {name: value for name, raw, _ in rows if (value := _value(raw)) is not None}

    def subkeys(self, key: str) -> Sequence[str]:
        """By winreg, in the 64-bit view."""
        with _opened(key) as opened:
            if opened is None or sys.platform != "win32":
                return ()
            import winreg

            return [winreg.EnumKey(opened, i) for i in range(winreg.QueryInfoKey(opened)[0])]

    def firmware(self) -> bytes:
        """By GetSystemFirmwareTable, which needs no rights."""
        call = _dll("kernel32").GetSystemFirmwareTable
        size = call(_RSMB, 0, None, 0)
        if not size:
            return b""
        buffer = ctypes.create_string_buffer(size)
        return buffer.raw[8 : call(_RSMB, 0, buffer, size)]

    def disk_serials(self) -> Sequence[str]:
        """By IOCTL_STORAGE_QUERY_PROPERTY, which needs no access to the disk's content."""
        return tuple(filter(None, map(_disk_serial, range(_MOST_DISKS))))

    def burnt_in_macs(self) -> Mapping[str, str]:
        """By GetIfTable2, whose PermanentPhysicalAddress cannot be changed by users."""
        return dict(_burnt_in_macs())

    def outputs(self) -> Mapping[str, int]:
        """By QueryDisplayConfig; empty where it is refused."""
        try:
            return dict(_outputs())
        except (OSError, AttributeError):  # before Windows 7, or no desktop
            return {}


def _dll(name: str) -> Any:
    if sys.platform == "win32":
        return ctypes.WinDLL(name)
    raise OSError("not Windows")


@contextlib.contextmanager
def _opened(key: str) -> Iterator[Any]:
    """A key of HKEY_LOCAL_MACHINE, None where there is none."""
    if sys.platform != "win32":
        yield None
        return
    import winreg

    access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
    try:
        handle = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, access)
    except OSError:
        yield None
        return
    with handle:
        yield handle


def _value(raw: object) -> Value | None:
    if isinstance(raw, list):
        return tuple(str(item) for item in raw)
    return raw if isinstance(raw, str | int | bytes) else None


def _disk_serial(number: int) -> str:
    """From STORAGE_DEVICE_DESCRIPTOR: the serial's offset is at 24, the bus at 28."""
    kernel = _dll("kernel32")
    kernel.CreateFileW.restype = ctypes.c_void_p
    disk = kernel.CreateFileW(f"\\\\.\\PhysicalDrive{number}", 0, 3, None, 3, 0, None)
    if disk in (None, ctypes.c_void_p(-1).value):
        return ""
    handle, size = ctypes.c_void_p(disk), ctypes.c_uint32()
    answer = ctypes.create_string_buffer(1024)
    try:
        done = kernel.DeviceIoControl(
            handle, _QUERY_PROPERTY, bytes(12), 12, answer, len(answer), ctypes.byref(size), None
        )
    finally:
        kernel.CloseHandle(handle)
    if not done or size.value < 32:
        return ""
    start, bus = (int.from_bytes(answer.raw[at : at + 4], "little") for at in (24, 28))
    raw = answer.raw[start:].partition(b"\0")[0] if start and bus != _BUS_USB else b""
    return raw.decode("ascii", "replace").strip()


def _burnt_in_macs() -> Iterator[tuple[str, str]]:
    """From MIB_IF_ROW2: GUID at 12, length of the address at 1056, permanent address at 1092."""
    import uuid

    api, table = _dll("iphlpapi"), ctypes.c_void_p()
    if api.GetIfTable2(ctypes.byref(table)) or not table.value:
        return
    try:
        count = ctypes.c_uint32.from_address(table.value).value
        raw = ctypes.string_at(table.value + _ROWS_AT, count * _ROW_BYTES)
    finally:
        api.FreeMibTable(table)
    for start in range(0, len(raw), _ROW_BYTES):
        row = raw[start : start + _ROW_BYTES]
        if int.from_bytes(row[1056:1060], "little") == _MAC_BYTES and any(row[1092:1098]):
            guid = str(uuid.UUID(bytes_le=row[12:28])).upper()
            yield f"{{{guid}}}", row[1092:1098].hex(":")


def _guid(text: str) -> _Guid:
    import uuid

    return _Guid.from_buffer_copy(uuid.UUID(text).bytes_le)


def _devices(setup_class: str, enumerator: str) -> Iterator[Present]:
    setup = _dll("setupapi")
    setup.SetupDiGetClassDevsW.restype = ctypes.c_void_p
    flags = _PRESENT | (0 if setup_class else _ALL_CLASSES)
    guid = ctypes.byref(_guid(setup_class)) if setup_class else None
    found = setup.SetupDiGetClassDevsW(guid, enumerator or None, None, flags)
    if found in (None, ctypes.c_void_p(-1).value):
        return
    handle = ctypes.c_void_p(found)
    try:
        info = _DeviceInfo(size=ctypes.sizeof(_DeviceInfo))
        number = 0
        while setup.SetupDiEnumDeviceInfo(handle, number, ctypes.byref(info)):
            number += 1
            yield _present(setup, handle, info)
    finally:
        setup.SetupDiDestroyDeviceInfoList(handle)


def _present(setup: Any, handle: ctypes.c_void_p, info: _DeviceInfo) -> Present:
    def raw(what: int) -> bytes:
        buffer = ctypes.create_string_buffer(8192)
        size = ctypes.c_uint32()
        done = setup.SetupDiGetDeviceRegistryPropertyW(
            handle, ctypes.byref(info), what, None, buffer, len(buffer), ctypes.byref(size)
        )
        return buffer.raw[: size.value] if done else b""

    def texts(what: int) -> tuple[str, ...]:
        return tuple(filter(None, raw(what).decode("utf-16-le", "replace").split("\0")))

    def text(what: int) -> str:
        return "".join(texts(what)[:1])

    name = ctypes.create_unicode_buffer(512)
    setup.SetupDiGetDeviceInstanceIdW(handle, ctypes.byref(info), name, len(name), None)
    removal = raw(_REMOVAL)
    return Present(
        instance=name.value,
        name=text(_FRIENDLY_NAME) or text(_DESCRIPTION),
        maker=text(_MAKER),
        service=text(_SERVICE),
        ids=texts(_HARDWARE_IDS) + texts(_COMPATIBLE_IDS),
        removal=int.from_bytes(removal, "little") if removal else None,
    )


def _outputs() -> Iterator[tuple[str, int]]:
    """Instance and output technology of every active path.

    DISPLAYCONFIG_PATH_INFO: the target's adapter at 20, its id at 28.
    DISPLAYCONFIG_TARGET_DEVICE_NAME: technology at 24, the device's path at 164.
    """
    user = _dll("user32")
    paths, modes = ctypes.c_uint32(), ctypes.c_uint32()
    if user.GetDisplayConfigBufferSizes(_ACTIVE_PATHS, ctypes.byref(paths), ctypes.byref(modes)):
        return
    path = ctypes.create_string_buffer(_PATH_BYTES * max(1, paths.value))
    mode = ctypes.create_string_buffer(_MODE_BYTES * max(1, modes.value))
    if user.QueryDisplayConfig(
        _ACTIVE_PATHS, ctypes.byref(paths), path, ctypes.byref(modes), mode, None
    ):
        return
    for start in range(0, _PATH_BYTES * paths.value, _PATH_BYTES):
        head = (_GET_TARGET_NAME).to_bytes(4, "little") + _TARGET_NAME_BYTES.to_bytes(4, "little")
        ask = head + path.raw[start + 20 : start + 32]
        name = ctypes.create_string_buffer(ask.ljust(_TARGET_NAME_BYTES, b"\0"))
        if user.DisplayConfigGetDeviceInfo(name) == 0:
            device = name.raw[164:420].decode("utf-16-le", "replace").partition("\0")[0]
            yield instance_of(device), int.from_bytes(name.raw[24:28], "little")


def instance_of(path: str) -> str:
    r"""The instance in a device path: \\?\DISPLAY#DELA0C4#5&2C#{e6} gives DISPLAY\DELA0C4\5&2C."""
    return "\\".join(path.removeprefix("\\\\?\\").split("#")[:3]).upper()

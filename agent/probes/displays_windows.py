"""Displays on Windows, from each monitor's registry key.

Not tried on a real Windows. Only monitors that are attached now have the subkey Control, so
the registry alone tells present from remembered ones; no PowerShell is started. The keys do
not tell an internal panel from an external display: a maker of panels without a name does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from agent.probes import edid
from agent.wire import Device

_DISPLAYS = r"SYSTEM\CurrentControlSet\Enum\DISPLAY"


def displays() -> tuple[Device, ...]:
    """One reading for each attached monitor."""
    return tuple(reading(connector, data) for connector, data in _attached())


def reading(connector: str, data: bytes) -> Device:
    """The reading of one monitor: its key below Enum\\DISPLAY, and its EDID."""
    found = edid.parse(data)
    internal = bool(found.text) and not found.name
    return Device(
        kind="screen" if internal else found.kind,
        connector=connector[:256],
        name=found.name or found.text,
        maker=found.maker,
        model=found.model,
        serial=found.serial,
        width_cm=found.width_cm,
        height_cm=found.height_cm,
        note="; ".join(found.notes)[:256],
    )


def _attached() -> Iterator[tuple[str, bytes]]:
    for model in _subkeys(_DISPLAYS):
        for place in _subkeys(f"{_DISPLAYS}\\{model}"):
            key = f"{_DISPLAYS}\\{model}\\{place}"
            if "Control" in _subkeys(key):
                yield f"{model}\\{place}", _edid(f"{key}\\Device Parameters")


def _subkeys(path: str) -> list[str]:
    if sys.platform != "win32":
        return []
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return [winreg.EnumKey(key, i) for i in range(winreg.QueryInfoKey(key)[0])]
    except OSError:
        return []


def _edid(path: str) -> bytes:
    if sys.platform != "win32":
        return b""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return bytes(winreg.QueryValueEx(key, "EDID")[0])
    except OSError:
        return b""

r"""Displays on Windows: the present monitors of SetupAPI, their EDID from the registry.

The connector is the place below Enum\DISPLAY\model, which holds the adapter and its output and
not the model, so another display on the same socket is another device on the same connector.
Where somebody is logged in, Windows names the output's technology; a service is not told, and
then a panel is known by what only panels say, on a PC whose case can hold one.
"""

from __future__ import annotations

from agent.probes import edid
from agent.windows import MONITOR, System, smbios
from agent.wire import Device

_DISPLAYS = r"SYSTEM\CurrentControlSet\Enum"
#: DISPLAYCONFIG_VIDEO_OUTPUT_TECHNOLOGY.
_INTERNAL = frozenset({6, 11, 13, 0x80000000})
_CONNECTIONS = {0: "VGA", 4: "DVI", 5: "HDMI", 10: "DisplayPort"}
_ASSUMED = "DISPLAY\\DEFAULT_MONITOR\\"
#: Chassis types (SMBIOS 3.7, 7.4.1) with a screen built in.
_WITH_SCREEN = frozenset({8, 9, 10, 11, 13, 14, 30, 31, 32})


def displays(system: System) -> tuple[Device, ...]:
    """One reading for each attached monitor.

    Windows takes it that something is on an output where nothing says so (`Default_Monitor`):
    that is no display, or a PC alone would be an equipped class.
    """
    found = system.devices(MONITOR)
    monitors = [one for one in found if not one.instance.upper().startswith(_ASSUMED)]
    if not monitors:
        return ()
    outputs = {name.upper(): technology for name, technology in system.outputs().items()}
    chassis = smbios.parse(system.firmware()).chassis
    return tuple(
        _reading(system, found.instance, outputs.get(found.instance.upper()), chassis)
        for found in monitors
    )


def _reading(system: System, instance: str, technology: int | None, chassis: int | None) -> Device:
    data = system.values(f"{_DISPLAYS}\\{instance}\\Device Parameters").get("EDID")
    found = edid.parse(data if isinstance(data, bytes) else b"")
    internal = _internal(found, technology, chassis)
    return edid.reading(
        found,
        connector=instance.rpartition("\\")[2],
        connection="" if technology is None else _CONNECTIONS.get(technology, ""),
        internal=internal,
    )


def _internal(found: edid.Edid, technology: int | None, chassis: int | None) -> bool:
    if technology is not None:
        return technology in _INTERNAL
    words = bool(found.text) and not found.name
    return words and (chassis is None or chassis in _WITH_SCREEN)

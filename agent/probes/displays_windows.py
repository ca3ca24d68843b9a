r"""Displays on Windows: the present monitors of SetupAPI, their EDID from the registry.

The connector is the key below Enum\DISPLAY\model, which depends on adapter and output but not on
the model, so another display at the same socket is another device on the same connector. Where
somebody is logged in, Windows names the technology of the output. A service does not get that;
then a built-in panel is known by its EDID, on a PC whose chassis can have one.
"""

from __future__ import annotations

from agent.probes import edid
from agent.windows import MONITOR, System, smbios
from agent.wire import Device

_DISPLAYS = r"SYSTEM\CurrentControlSet\Enum"
#: DISPLAYCONFIG_VIDEO_OUTPUT_TECHNOLOGY.
_INTERNAL = frozenset({6, 11, 13, 0x80000000})
_INDIRECT_VIRTUAL = 17
#: The adapter of a virtual display hangs at the root of the device tree; its monitors' names
#: begin so. One at a real adapter, or at a USB dock's, hangs deeper: `4&…`, `5&…`.
_AT_ROOT = "1&"
_CONNECTIONS = {0: "VGA", 4: "DVI", 5: "HDMI", 10: "DisplayPort"}
_ASSUMED = "DISPLAY\\DEFAULT_MONITOR\\"
#: Chassis types (SMBIOS 3.7, 7.4.1) with a screen built in.
_WITH_SCREEN = frozenset({8, 9, 10, 11, 13, 14, 30, 31, 32})


def displays(system: System) -> tuple[Device, ...]:
    """One reading for each attached monitor.

    Windows assumes a monitor (`Default_Monitor`) on an output where none answers. It is left
    out: otherwise a PC alone would count as an equipped class.
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
    name = instance.rpartition("\\")[2]
    virtual = technology == _INDIRECT_VIRTUAL or name.startswith(_AT_ROOT)
    internal = not virtual and _internal(found, technology, chassis)
    return edid.reading(
        found,
        virtual=virtual,
        connector=name,
        connection="" if technology is None else _CONNECTIONS.get(technology, ""),
        internal=internal,
    )


def _internal(found: edid.Edid, technology: int | None, chassis: int | None) -> bool:
    if technology is not None:
        return technology in _INTERNAL
    panel = bool(found.text) and not found.name
    return panel and (chassis is None or chassis in _WITH_SCREEN)

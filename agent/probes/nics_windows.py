"""What kind a Windows interface is, from the registry.

Read in Microsoft's description of the network class key and not tried on a real Windows:
Control\\Network\\{class}\\{guid}\\Connection holds the Name that psutil shows, MediaSubType
(2 is Wi-Fi) and PnpInstanceID, whose bus tells hardware (PCI, USB) from software (ROOT, SWD).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Literal

Kind = Literal["wired", "wifi", "loopback", "virtual", "other"]
_CLASS = r"SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"
_WIFI = 2
_HARDWARE = ("PCI\\", "USB\\", "ACPI\\")


def classify(instance: str, subtype: int | None) -> Kind:
    """The kind, from the registry's PnpInstanceID and MediaSubType."""
    if not instance.upper().startswith(_HARDWARE):
        return "virtual"
    return "wifi" if subtype == _WIFI else "wired"


def kind(name: str) -> Kind:
    """The kind of the interface that Windows shows by this name."""
    if name.lower().startswith("loopback"):
        return "loopback"
    for found, instance, subtype in _connections():
        if found == name:
            return classify(instance, subtype)
    return "other"


def built_in(name: str) -> bool:
    """Whether the interface is wired and not on USB."""
    return any(
        found == name and classify(instance, subtype) == "wired" and "USB\\" not in instance
        for found, instance, subtype in _connections()
    )


def _connections() -> Iterator[tuple[str, str, int | None]]:
    """Name, PnpInstanceID and MediaSubType of every connection that the registry knows."""
    if sys.platform != "win32":
        return
    import winreg

    try:
        adapters = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CLASS)
    except OSError:  # no network class at all
        return
    with adapters:
        for i in range(winreg.QueryInfoKey(adapters)[0]):
            values = _values(f"{_CLASS}\\{winreg.EnumKey(adapters, i)}\\Connection")
            if values:
                name, instance = values.get("Name", ""), values.get("PnpInstanceID", "")
                yield str(name), str(instance), values.get("MediaSubType")


def _values(path: str) -> dict[str, Any]:
    """All values of a key; none where there is no such key."""
    if sys.platform != "win32":
        return {}
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            rows = [winreg.EnumValue(key, i) for i in range(winreg.QueryInfoKey(key)[1])]
    except OSError:
        return {}
    return {name: value for name, value, _ in rows}

"""The kind of a Windows network interface, from the registry.

Control\\Network\\{class}\\{guid}\\Connection holds the Name that psutil shows, MediaSubType
(2 is Wi-Fi) and PnpInstanceID, whose bus shows hardware (PCI, USB) or software (ROOT, SWD). This
is from Microsoft's documentation of the network class key, not tried on a real Windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from agent.windows import System, text, this_system

Kind = Literal["wired", "wifi", "loopback", "virtual", "other"]
_CLASS = r"SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"
_WIFI = 2
_ENUM = r"SYSTEM\CurrentControlSet\Enum"
#: Services of phones that share their network by USB: Android's RNDIS, Apple's.
_PHONES = frozenset({"usb_rndisx", "usbrndis6", "rndismp", "rndismp6", "rndismpx", "netaapl64"})
#: Services of mobile broadband, which Windows brings along.
_MODEMS = frozenset({"wmbclass", "cxwmbclass"})
_HARDWARE = ("PCI\\", "USB\\", "ACPI\\")


class Adapter(NamedTuple):
    """A network adapter in the registry."""

    guid: str  # {0D7A…}, in upper case
    name: str
    kind: Kind
    on_usb: bool


def classify(instance: str, subtype: int | None, service: str = "") -> Kind:
    """The kind, from the registry's PnpInstanceID, MediaSubType, and that device's Service."""
    if not instance.upper().startswith(_HARDWARE):
        return "virtual"
    if service.lower() in _PHONES | _MODEMS:
        return "other"
    return "wifi" if subtype == _WIFI else "wired"


def kind(name: str) -> Kind:
    """The kind of the interface that Windows shows under this name."""
    if name.lower().startswith("loopback"):
        return "loopback"
    system = this_system()
    known = adapters(system) if system else iter(())
    return next((adapter.kind for adapter in known if adapter.name == name), "other")


def adapters(system: System) -> Iterator[Adapter]:
    """All adapters in the registry, including those that were removed."""
    for guid in system.subkeys(_CLASS):
        values = system.values(rf"{_CLASS}\{guid}\Connection")
        instance, subtype = text(values, "PnpInstanceID"), values.get("MediaSubType")
        if name := text(values, "Name"):
            service = text(system.values(rf"{_ENUM}\{instance}"), "Service") if instance else ""
            found = classify(instance, subtype if isinstance(subtype, int) else None, service)
            yield Adapter(guid.upper(), name, found, instance.upper().startswith("USB\\"))

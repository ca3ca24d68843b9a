"""Displays on Linux, from /sys/class/drm below a root folder."""

from __future__ import annotations

import os
import re
from collections import Counter

from agent.probes import edid, sysfs
from agent.probes.runner import Context
from agent.wire import Device
from agent.wire.messages import Power

_CONNECTOR = re.compile(r"(card\d+)-(.+)")
_INTERNAL = ("eDP", "LVDS", "DSI", "DPI")
_CONNECTIONS = (("HDMI", "HDMI"), ("DP", "DisplayPort"), ("DVI", "DVI"), ("VGA", "VGA"))
#: Connectors of virtual machines and writeback engines; no display is attached to them.
_NO_DISPLAY = ("Virtual", "Writeback")


def displays(context: Context) -> tuple[Device, ...]:
    """One reading for each connector that is connected; none without graphics (headless)."""
    drm = f"{context.root}/sys/class/drm"
    found = [
        (node, _name(node))
        for node in _connectors(drm)
        if sysfs.read(f"{drm}/{node}/status").startswith(b"connected")
    ]
    names = Counter(name for _, name in found)
    return tuple(
        # Card numbers change from boot to boot, so they are left out of the name. If two cards
        # have a connector of the same name, the card's address on the bus is added.
        display(f"{drm}/{node}", name if names[name] == 1 else _full_name(drm, node))
        for node, name in found
    )


def display(folder: str, connector: str) -> Device:
    """The reading of one connected connector."""
    internal = connector.startswith(_INTERNAL)
    return edid.reading(
        edid.parse(sysfs.read(f"{folder}/edid")),
        connector=connector,
        connection=next((c for start, c in _CONNECTIONS if connector.startswith(start)), ""),
        internal=internal,
        power=_power(folder, internal),
    )


def _connectors(drm: str) -> list[str]:
    try:
        found = sorted(os.listdir(drm))
    except OSError:  # no graphics at all
        return []
    matches = [(node, _CONNECTOR.fullmatch(node)) for node in found]
    return [node for node, match in matches if match and not match[2].startswith(_NO_DISPLAY)]


def _name(node: str) -> str:
    return node.partition("-")[2]


def _full_name(drm: str, node: str) -> str:
    card = f"{drm}/{node.partition('-')[0]}/device"
    return f"{_name(node)}@{os.path.basename(os.path.realpath(card))}"


def _power(folder: str, internal: bool) -> Power:
    """Standby where the PC has switched the picture off; else known for internal screens only."""
    dpms = sysfs.text(f"{folder}/dpms")
    if dpms in ("Off", "Standby", "Suspend"):
        return "standby"
    return "on" if internal and dpms == "On" else "unknown"

"""Displays on Linux, from /sys/class/drm below a root."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from agent.probes import edid
from agent.wire import Device
from agent.wire.messages import Power

_CONNECTOR = re.compile(r"(card\d+)-(.+)")
_INTERNAL = ("eDP", "LVDS", "DSI", "DPI")
_CONNECTIONS = (("HDMI", "HDMI"), ("DP", "DisplayPort"), ("DVI", "DVI"), ("VGA", "VGA"))
#: A virtual machine's, or a writeback engine's: nothing is attached to them.
_NO_DISPLAY = ("Virtual", "Writeback")


def displays(root: Path) -> tuple[Device, ...]:
    """One reading for each connector that is connected; none without graphics (headless)."""
    folders = [folder for folder in _connectors(root) if _text(folder / "status") == "connected"]
    names = Counter(_name(folder) for folder in folders)
    return tuple(
        # Card numbers change from boot to boot, so they are no part of the name. Where two
        # cards have a connector of one name, the card's place on the bus tells them apart.
        display(folder, _name(folder) if names[_name(folder)] == 1 else _full_name(folder))
        for folder in folders
    )


def display(folder: Path, connector: str) -> Device:
    """The reading of one connected connector."""
    internal = connector.startswith(_INTERNAL)
    return edid.reading(
        edid.parse(_bytes(folder / "edid")),
        connector=connector,
        connection=next((c for start, c in _CONNECTIONS if connector.startswith(start)), ""),
        internal=internal,
        power=_power(folder, internal),
    )


def _connectors(root: Path) -> list[Path]:
    try:
        found = sorted((root / "sys/class/drm").iterdir())
    except OSError:  # no graphics at all
        return []
    matches = [(folder, _CONNECTOR.fullmatch(folder.name)) for folder in found]
    return [folder for folder, match in matches if match and not match[2].startswith(_NO_DISPLAY)]


def _name(folder: Path) -> str:
    return folder.name.partition("-")[2]


def _full_name(folder: Path) -> str:
    card = folder.parent / folder.name.partition("-")[0]
    return f"{_name(folder)}@{os.path.basename(os.path.realpath(card / 'device'))}"


def _power(folder: Path, internal: bool) -> Power:
    """Dark by the PC's own doing is standby; that the PC sends a picture says nothing more."""
    dpms = _text(folder / "dpms")
    if dpms in ("Off", "Standby", "Suspend"):
        return "standby"
    return "on" if internal and dpms == "On" else "unknown"


def _text(path: Path) -> str:
    return _bytes(path).decode("ascii", "replace").strip()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # unplugged between two looks
        return b""

"""All access of the agent to Windows; the other rooms are plain Python."""

from __future__ import annotations

import sys

from agent.windows.boundary import CAMERA, DISK, HID, IMAGE, MONITOR, Present, System, Value, text

__all__ = [
    "CAMERA",
    "DISK",
    "HID",
    "IMAGE",
    "MONITOR",
    "Present",
    "System",
    "Value",
    "text",
    "this_system",
]


def this_system() -> System | None:
    """The Windows system we run on; None on other systems."""
    if sys.platform != "win32":
        return None
    from agent.windows.system import Windows

    return Windows()

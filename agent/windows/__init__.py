"""Windows, as far as the agent asks it anything; everything above this room is plain Python."""

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
    """The Windows that we run on; None elsewhere."""
    if sys.platform != "win32":
        return None
    from agent.windows.system import Windows

    return Windows()

"""Displays: what the graphics connectors say is attached, on this operating system."""

from __future__ import annotations

import sys

from agent.probes.runner import Context
from agent.wire import Device


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each display that is attached."""
    if sys.platform == "win32":
        from agent.probes import displays_windows

        return displays_windows.displays()
    from agent.probes import displays_linux

    return displays_linux.displays(context.root)

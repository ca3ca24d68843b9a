"""Displays: what the graphics connectors say is attached, on this operating system."""

from __future__ import annotations

from agent.probes.runner import Context
from agent.wire import Device


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each display that is attached."""
    if context.windows is not None:
        from agent.probes import displays_windows

        return displays_windows.displays(context.windows)
    from agent.probes import displays_linux

    return displays_linux.displays(context.root)

"""Printers on USB; those on the network are listed in the settings, on this operating system."""

from __future__ import annotations

from agent.probes.runner import Context
from agent.wire import Device


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each printer."""
    if context.windows is not None:
        from agent.probes import printers_windows

        return printers_windows.printers(context.windows)
    from agent.probes import printers_linux

    return printers_linux.printers(context)

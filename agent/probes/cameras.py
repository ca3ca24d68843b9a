"""Cameras and document cameras, on this operating system."""

from __future__ import annotations

from agent.probes.runner import Context
from agent.wire import Device


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each camera."""
    if context.windows is not None:
        from agent.probes import cameras_windows

        return cameras_windows.cameras(context.windows)
    from agent.probes import cameras_linux

    return cameras_linux.cameras(context)

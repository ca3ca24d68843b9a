"""Touch: an interactive panel's frame, or a touch screen, on this operating system."""

from __future__ import annotations

from agent.probes.runner import Context
from agent.wire import Device


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each device that takes fingers."""
    if context.windows is not None:
        from agent.probes import touch_windows

        return touch_windows.touch(context.windows)
    from agent.probes import touch_linux

    return touch_linux.touch(context)

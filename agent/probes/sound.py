"""Sound outputs and microphones, on this operating system."""

from __future__ import annotations

from agent.probes.runner import Context
from agent.wire import Device


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each output and input of each sound card."""
    if context.windows is not None:
        from agent.probes import sound_windows

        return sound_windows.sounds(context.windows)
    from agent.probes import sound_linux

    return sound_linux.sounds(context.root)

"""The day rows as pure functions: from reports to points at the day's midnight in Shanghai. Pure.

    agent, host -> machine_day ─┬─> room_day
    device ------> device_day ──┘       └─> school_day: the displays of all rooms
    agent, host -> machine_day ----> school_day: signs of doubt, see `keeper.doubts`

Each takes the day's stored rows too and only adds to them: flags are set and never cleared, a
first time only moves earlier, a count only grows. So a day stays complete after its telemetry is
deleted, and a late report adds to it.
"""

from collector.keeper.devices import device_days
from collector.keeper.machines import machine_days
from collector.keeper.midnight import bounds, midnight
from collector.keeper.rooms import cleared_rooms, display_rooms, room_days

__all__ = [
    "bounds", "cleared_rooms", "device_days", "display_rooms", "machine_days", "midnight",
    "room_days",
]  # fmt: skip

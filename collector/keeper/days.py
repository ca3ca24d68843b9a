"""The day rows as pure functions: reports in, points at the day's Shanghai midnight out. Pure.

    agent, host -> machine_day ─┬─> room_day
    device ------> device_day ──┘

Each takes the rows of the same day that are stored already and only ever adds to what they
say: flags are set and never cleared, a first time moves only back, a count only grows. So a
day stays whole when its telemetry is pruned, and a late report completes it.
"""

from collector.keeper.devices import device_days
from collector.keeper.machines import machine_days
from collector.keeper.midnight import bounds, midnight
from collector.keeper.rooms import emptied, room_days

__all__ = ["bounds", "device_days", "emptied", "machine_days", "midnight", "room_days"]

"""The PC's room and line, from its settings and the policy. Pure."""

from __future__ import annotations

import fnmatch

import msgspec

from agent.common.vocabulary.thresholds import THRESHOLD_MBPS
from agent.config import Config
from agent.wire.messages import LinePolicy, Policy


def room_of(config: Config, policy: Policy | None, machine: str, hostname: str) -> str:
    """The room: in the register by machine id, else by host name pattern, else from the settings.

    The register comes first, as it does in the city's figures.
    """
    if policy is None:
        return config.room
    if machine in policy.rooms:
        return policy.rooms[machine]
    name = hostname.casefold()
    fits = (
        room
        for pattern, room in policy.rooms.items()
        if fnmatch.fnmatchcase(name, pattern.casefold())
    )
    return next(fits, config.room)


def lines_of(config: Config, policy: Policy | None, room: str) -> tuple[LinePolicy, ...]:
    """The lines that this PC tests: at most one; none where no server is known.

    The line in the settings, else the room's, else the school's only line.
    """
    line = _line_of(config, policy, room)
    if line is None:
        return ()
    own = config.line
    line = msgspec.structs.replace(
        line,
        server=own.server or line.server,
        quiet_per_day=line.quiet_per_day if own.quiet_per_day is None else own.quiet_per_day,
        lesson_per_day=line.lesson_per_day if own.lesson_per_day is None else own.lesson_per_day,
    )
    return (line,) if line.server else ()


def _line_of(config: Config, policy: Policy | None, room: str) -> LinePolicy | None:
    known = {} if policy is None else {line.line: line for line in policy.lines}
    named = config.line.name or ("" if policy is None else policy.room_lines.get(room, ""))
    if named:
        return known.get(named, LinePolicy(line=named))
    if len(known) == 1 and not room_has_other_line(policy, room):
        return next(iter(known.values()))
    return None


def room_has_other_line(policy: Policy | None, room: str) -> bool:
    """Whether the register gives this room a line of its own."""
    return policy is not None and room in policy.room_lines


def threshold_of(policy: Policy | None) -> float:
    """What the city asks of a line, in Mbit/s."""
    return THRESHOLD_MBPS if policy is None else policy.threshold_mbps


def report_every(config: Config, policy: Policy | None) -> int:
    """Seconds between reports."""
    if config.report_s is not None:
        return config.report_s
    return 300 if policy is None else policy.report_s

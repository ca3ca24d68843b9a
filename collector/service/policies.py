"""What a school's machines are told, merged from the settings and the register. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from agent import wire
from collector.config import Config
from collector.roster.register import Register


def policy(
    register: Register, config: Config, school: str, issued: int = 0, exclude: tuple[str, ...] = ()
) -> wire.Policy:
    """The policy of a registered school; `issued` in ms since 1970 UTC.

    `exclude`: hardware values that PCs of the school share, as name=digest.
    """
    lines = tuple(
        wire.LinePolicy(
            line=row.line,
            server=config.lines.server,
            contract_mbps=row.contract_mbps,
            quiet_per_day=config.lines.quiet_per_day,
            lesson_per_day=config.lines.lesson_per_day,
        )
        for row in register.lines_of.get(school, [])
    )
    return wire.Policy(
        v=1,
        school=school,
        issued=issued,
        report_s=config.report_s,
        calendar=register.calendar,
        lines=lines,
        rooms=_rooms(register, school),
        room_lines={row.room: row.line for row in register.rooms_of.get(school, []) if row.line},
        exclude_sources=exclude,
    )


def _rooms(register: Register, school: str) -> dict[str, str]:
    """Machine id or pattern of host names -> room; what was decided of a PC goes by its id."""
    sheets = {row.pattern: row.room for row in register.machines_of.get(school, [])}
    decided = {
        machine: decision.target if decision.act == "bind" else ""
        for (code, machine), decision in register.decided.items()
        if code == school
    }
    return sheets | decided


def policies(
    register: Register, config: Config, shared: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> dict[str, wire.Policy]:
    """Each registered school's policy, unissued: two that are equal say the same."""
    return {
        school: policy(register, config, school, exclude=shared.get(school, ()))
        for school in register.schools
    }


def issue(merged: wire.Policy, now_ms: int) -> bytes:
    """The bytes to publish at `now_ms`."""
    return wire.encode(msgspec.structs.replace(merged, issued=now_ms))

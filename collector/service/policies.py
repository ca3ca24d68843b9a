"""Each school's policy, from settings, the layers of the register and its sheets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from agent import wire
from agent.wire.messages import MAX_RATE, LinePolicy
from collector.config import Config
from collector.roster.limits import LIMITS, Limits, limits
from collector.roster.policy import Value, merged, scopes
from collector.roster.register import Line, Register

_LINE = ("server", "quiet_per_day", "lesson_per_day", "max_seconds", "max_bytes", "month_bytes",
         "metered")  # fmt: skip


def defaults(config: Config) -> dict[str, Any]:
    """The values where no layer sets any."""
    blank = LinePolicy(line="")
    chosen = {name: getattr(blank, name) for name in ("max_seconds", "max_bytes", "metered")}
    names = ("server", "quiet_per_day", "lesson_per_day", "by_hand_per_day", "month_bytes")
    chosen |= {name: getattr(config.lines, name) for name in names}
    return {**chosen, "report_s": config.report_s}


def values(
    register: Register, config: Config, school: str, line: Line | None = None
) -> dict[str, Value]:
    """Every value in force for a school, or one of its lines, with the layer that sets it."""
    found = _set(register, config, school, line)
    known = {name: found[name].value for name in LIMITS}
    derived = limits(register, school, found["report_s"].value, **known)
    return found | {
        name: Value(value, "default")
        for name, value in zip(LIMITS, derived, strict=False)
        if known[name] is None
    }


def _set(
    register: Register, config: Config, school: str, line: Line | None = None
) -> dict[str, Value]:
    """Without the limits that follow from the register, which no agent needs."""
    return merged(register.policies, scopes(register, school, line), defaults(config))


def limits_of(register: Register, config: Config, school: str) -> Limits:
    """What the collector takes from a registered school."""
    found = values(register, config, school)
    chosen = {name: found[name].value for name in LIMITS}
    return limits(register, school, found["report_s"].value, **chosen)


def line_policy(register: Register, config: Config, line: Line) -> wire.LinePolicy:
    """How one line is tested."""
    found = _set(register, config, line.school, line)
    chosen = {name: found[name].value for name in _LINE}
    return wire.LinePolicy(line=line.line, contract_mbps=line.contract_mbps, **chosen)


def policy(
    register: Register, config: Config, school: str, issued: int = 0, exclude: tuple[str, ...] = ()
) -> wire.Policy:
    """The policy of a registered school; `issued` in ms since 1970 UTC.

    `exclude`: hardware values that PCs of the school share, as name=digest.
    """
    rows = register.lines_of.get(school, [])
    return wire.Policy(
        v=1,
        school=school,
        issued=issued,
        report_s=_set(register, config, school)["report_s"].value,
        calendar=register.calendar,
        lines=tuple(line_policy(register, config, row) for row in rows),
        rooms=_rooms(register, school),
        room_lines={row.room: row.line for row in register.rooms_of.get(school, []) if row.line},
        exclude_sources=exclude,
        threshold_mbps=min(config.figure.threshold_mbps, MAX_RATE),
    )


def _rooms(register: Register, school: str) -> dict[str, str]:
    """Machine id or pattern of host names -> room; a decision on a PC is under its id."""
    sheets = {row.pattern: row.room for row in register.machines_of.get(school, [])}
    decided = {
        machine: room
        for code, machine in register.decided
        if code == school and (room := _decided(register, school, machine, sheets)) is not None
    }
    return sheets | decided


def _decided(
    register: Register, school: str, machine: str, sheets: Mapping[str, str]
) -> str | None:
    """The room of a PC by the decision on it, or on the one that it was merged into.

    None where there is no such decision: then the host name decides, as in the city's counts.
    """
    known = register.known_as(school, machine)
    decision = register.decided.get((school, known))
    if decision is None or decision.act == "merge":
        return sheets.get(known)
    return decision.target if decision.act == "bind" else ""


def policies(
    register: Register, config: Config, shared: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> dict[str, wire.Policy]:
    """Each registered school's policy with `issued` 0, so that unchanged ones are equal."""
    return {
        school: policy(register, config, school, exclude=shared.get(school, ()))
        for school in register.schools
    }


def issue(merged: wire.Policy, now_ms: int) -> bytes:
    """The bytes to publish at `now_ms`."""
    return wire.encode(msgspec.structs.replace(merged, issued=now_ms))

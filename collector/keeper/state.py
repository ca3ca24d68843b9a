"""A device's state: present, power, working, each with since when. Pure.

A change counts once it has held for `Rule.confirm`, seen at both ends: one look back at the old
state, and the waiting begins anew. So a loose cable does not flap, however often it is seen,
and a change is told with the time when it began. Where the PC was silent nothing was held: the
waiting begins anew with its next look. A PC that is off makes its devices unknown; that is told
when the state is asked for (`shown`), and changes nothing here.

              look agrees            held long enough
    settled ───────────────▶ settled ◀───────────── doubted ◀── look differs
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from agent.common.vocabulary.devices import CANNOT_BE_ASKED

#: A device that has been on within so long is in use.
USED_MS = 7 * 86_400_000


class Rule(NamedTuple):
    """How long a change must hold, and how long a PC may say nothing, in ms."""

    confirm: int = 120_000
    silent: int = 900_000


RULE = Rule()


def rule_for(report_s: float) -> Rule:
    """The rule where PCs report every `report_s` seconds: silent after three that are missed."""
    return RULE._replace(silent=max(RULE.silent, int(3000 * report_s)))


Presence = Literal["present", "missing", "unknown"]
Working = Literal["fault", "used", "idle", "unknown"]
Event = Literal["appeared", "gone", "fault", "repaired"]


class Look(NamedTuple):
    """What one report says of a device; `time` in ms since 1970 UTC."""

    time: int
    present: bool
    power: str = "unknown"
    fault: str = ""


class Aspect(NamedTuple):
    """One thing that is settled, and what is seen against it."""

    value: str = "unknown"
    since: int = 0
    doubt: str = ""  # empty: none
    doubted: int = 0  # since when


class State(NamedTuple):
    """All that is known after a look. Times in ms since 1970 UTC; 0: never."""

    presence: Aspect = Aspect()
    health: Aspect = Aspect()  # well or fault
    fault: str = ""  # in the device's words, while it lasts
    power: str = "unknown"
    power_since: int = 0
    used: int = 0  # last seen on
    told: bool = False  # its power was ever told
    last: int = 0  # the last look


class Change(NamedTuple):
    """An event, at the time when what it tells began."""

    event: Event
    time: int
    detail: str = ""


class Shown(NamedTuple):
    """The state as people ask for it; `since` None where it was never seen otherwise."""

    presence: Presence
    presence_since: int | None
    power: str
    power_since: int | None
    working: Working
    working_since: int | None
    fault: str


def fold(state: State, looks: Iterable[Look], rule: Rule = RULE) -> tuple[State, list[Change]]:
    """The state after these looks, and the events among them; in any order, each taken once."""
    changes: list[Change] = []
    for look in sorted(set(looks)):
        if look.time > state.last:
            state, told = _step(state, look, rule)
            changes += told
    return state, changes


def shown(state: State, now: int, heard: int, rule: Rule = RULE) -> Shown:
    """The state at `now`, where the PC was last heard of at `heard`, ms since 1970 UTC."""
    if now - heard > rule.silent:
        since = heard or None
        return Shown("unknown", since, "unknown", since, "unknown", since, "")
    presence: Presence = _known(state.presence.value)
    working, since = _working(state, now)
    return Shown(
        presence,
        state.presence.since or None,
        state.power,
        state.power_since or None,
        working,
        since,
        state.fault if working == "fault" else "",
    )


def _known(value: str) -> Presence:
    return "present" if value == "present" else "missing" if value == "missing" else "unknown"


def _working(state: State, now: int) -> tuple[Working, int | None]:
    if state.health.value == "fault":
        return "fault", state.health.since
    if not state.told or state.presence.value != "present":
        return "unknown", None
    if state.used and now - state.used <= USED_MS:
        return "used", state.used
    return "idle", state.used or None


def _step(state: State, look: Look, rule: Rule) -> tuple[State, list[Change]]:
    broken = look.time - state.last > rule.silent

    def settle(aspect: Aspect, value: str) -> Aspect:
        return _settle(aspect, value, look.time, broken, rule)

    presence = settle(state.presence, "present" if look.present else "missing")
    health, fault = state.health, _fault(state, look)
    if says := _health(state, look):
        health = settle(health, says)
    new = state._replace(presence=presence, health=health, fault=fault, last=look.time)
    new = _powered(new, look)
    return new, list(_changes(state, new))


def _fault(state: State, look: Look) -> str:
    """What is at fault: a device that cannot be asked is as broken as it last said itself."""
    said = state.health.value == "fault" and state.fault not in CANNOT_BE_ASKED
    return state.fault if said and look.fault in CANNOT_BE_ASKED else look.fault or state.fault


def _health(state: State, look: Look) -> str:
    """What a look says of the health; empty where it says nothing.

    A projector in standby does not tell its faults: it is well again when it is seen lit.
    Where only the asking was at fault, any answer is the repair.
    """
    if look.present and look.fault:
        return "fault"
    lit = look.power == "on" or (look.power == "unknown" and not state.told)
    answers = state.fault in CANNOT_BE_ASKED and look.power != "unknown"
    return "well" if look.present and (lit or answers) else ""


def _settle(aspect: Aspect, value: str, time: int, broken: bool, rule: Rule) -> Aspect:
    if value == aspect.value:
        return aspect._replace(doubt="", doubted=0)
    if value != aspect.doubt or broken:
        return aspect._replace(doubt=value, doubted=time)
    if time - aspect.doubted < rule.confirm:
        return aspect
    return Aspect(value, aspect.doubted)


def _powered(state: State, look: Look) -> State:
    power = look.power if look.present else "unknown"
    if power != state.power or not state.power_since:
        state = state._replace(power=power, power_since=look.time)
    return state._replace(
        told=state.told or power != "unknown", used=look.time if power == "on" else state.used
    )


def _changes(old: State, new: State) -> Iterator[Change]:
    if new.presence.value != old.presence.value:
        # What was listed and never there has not gone.
        if new.presence.value == "present":
            yield Change("appeared", new.presence.since)
        elif old.presence.value == "present":
            yield Change("gone", new.presence.since)
    if new.health.value != old.health.value:
        if new.health.value == "fault":
            yield Change("fault", new.health.since, new.fault)
        elif old.health.value == "fault":
            yield Change("repaired", new.health.since, old.fault)

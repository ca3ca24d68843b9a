"""A device's state: present, power, working, each with since when. Pure.

A change counts only after it has been observed without interruption for `Rule.confirm`; one
observation of the old state in between restarts the wait. So a loose cable causes no flapping,
and an event has the time at which the change began. A gap in the PC's reports restarts the wait
too. While a PC is off its devices are unknown; `shown` says so, the stored state stays.

A TV that drops its link at its own switch is off, not missing. It is known by its habit, two
returns within `HABIT_MS`, or because the register has a TV in that room. One that stays away on
`AWAY_DAYS` later days, all of them with reports, is missing.

    confirmed ── observation differs ──▶ pending ── held for `confirm` ──▶ confirmed, new value
        ▲                                   │
        └──────── observation agrees ───────┘
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from agent.common.calendar import local_day
from agent.common.vocabulary.devices import CANNOT_BE_ASKED

#: A device that was on within this time counts as in use.
USED_MS = 7 * 86_400_000
#: Two returns within this time are a habit.
HABIT_MS = 14 * 86_400_000
#: An absence up to this long is a switch; a longer one may be a repair.
_SWITCHED_MS = 86_400_000
#: Whole days with reports that a device which is switched off may stay away.
AWAY_DAYS = 2


class Rule(NamedTuple):
    """How long a change must hold, and after how long without a report a PC is silent, in ms."""

    confirm: int = 120_000
    silent: int = 900_000


RULE = Rule()


def rule_for(report_s: float) -> Rule:
    """The rule for PCs that report every `report_s` seconds: silent after three missed reports."""
    return RULE._replace(silent=max(RULE.silent, int(3000 * report_s)))


Presence = Literal["present", "off", "missing", "unknown"]
#: What tells a device that is off from one that is gone: nothing, its habit, or the register.
Switch = Literal["none", "habit", "expected"]
Working = Literal["fault", "used", "idle", "unknown"]
Event = Literal["appeared", "gone", "fault", "repaired"]


class Observation(NamedTuple):
    """What one report says about a device; `time` in ms since 1970 UTC."""

    time: int
    present: bool
    power: str = "unknown"
    fault: str = ""


class Aspect(NamedTuple):
    """A confirmed value, and the other value that waits to be confirmed."""

    value: str = "unknown"
    since: int = 0
    pending: str = ""  # empty: none
    pending_since: int = 0


class State(NamedTuple):
    """All that is known after an observation. Times in ms since 1970 UTC; 0: never."""

    presence: Aspect = Aspect()
    health: Aspect = Aspect()  # well or fault
    fault: str = ""  # in the device's words, until it is repaired
    power: str = "unknown"
    power_since: int = 0
    used: int = 0  # last seen on
    power_reported: bool = False  # whether any report ever gave its power
    last: int = 0  # the last observation
    returned: int = 0  # when it last came back from an absence of less than a day
    returned_before: int = 0  # ... and the time before that
    away_days: int = 0  # later days on which it was absent, since it is off


class Change(NamedTuple):
    """An event, with the time at which the change began."""

    event: Event
    time: int
    detail: str = ""


class Shown(NamedTuple):
    """The state as lists show it; a `since` is None if the value never changed."""

    presence: Presence
    presence_since: int | None
    power: str
    power_since: int | None
    working: Working
    working_since: int | None
    fault: str


def advance(
    state: State,
    observations: Iterable[Observation],
    rule: Rule = RULE,
    switch: Switch = "none",
) -> tuple[State, list[Change]]:
    """The state after these observations, and the changes they confirm.

    `observations` come in any order; repeated ones, and those not newer than `state.last`, are
    ignored.
    """
    changes: list[Change] = []
    for observation in sorted(set(observations)):
        if observation.time > state.last:
            state, confirmed = _step(state, observation, rule, switch)
            changes += confirmed
    return state, changes


def shown(state: State, now: int, last_report: int, rule: Rule = RULE) -> Shown:
    """The state at `now`, if the PC last reported at `last_report`; both in ms since 1970 UTC."""
    if now - last_report > rule.silent:
        since = last_report or None
        return Shown("unknown", since, "unknown", since, "unknown", since, "")
    presence: Presence = _presence(state.presence.value)
    working, since = _working(state, now)
    return Shown(
        presence,
        state.presence.since or None,
        "off" if presence == "off" else state.power,
        state.power_since or None,
        working,
        since,
        state.fault if working == "fault" else "",
    )


def _presence(value: str) -> Presence:
    known: dict[str, Presence] = {"present": "present", "off": "off", "missing": "missing"}
    return known.get(value, "unknown")


def _working(state: State, now: int) -> tuple[Working, int | None]:
    if state.health.value == "fault":
        return "fault", state.health.since
    if not state.power_reported or state.presence.value != "present":
        return "unknown", None
    if state.used and now - state.used <= USED_MS:
        return "used", state.used
    return "idle", state.used or None


def _step(
    state: State, seen: Observation, rule: Rule, switch: Switch
) -> tuple[State, list[Change]]:
    was_silent = seen.time - state.last > rule.silent

    def updated(aspect: Aspect, value: str) -> Aspect:
        return _updated(aspect, value, seen.time, was_silent, rule)

    away = _away(state, seen)
    absent = _absent(state, seen.time, away, switch)
    presence = updated(state.presence, "present" if seen.present else absent)
    if absent == "missing" and state.presence.value == "off" and not seen.present:
        presence = Aspect("missing", state.presence.since)  # nothing to confirm: it was away long
    health, fault = state.health, _fault(state, seen)
    if observed := _health(state, seen):
        health = updated(health, observed)
    new = state._replace(
        presence=presence, health=health, fault=fault, last=seen.time, away_days=away
    )
    new = _with_return(state, _with_power(new, seen))
    return new, list(_changes(state, new))


def _away(state: State, seen: Observation) -> int:
    """Days after the one on which it was switched off, on which it was absent so far."""
    if seen.present or state.presence.value != "off":
        return 0
    return state.away_days + (local_day(seen.time // 1000) != local_day(state.last // 1000))


def _absent(state: State, time: int, away: int, switch: Switch) -> str:
    """What the absence of a device means."""
    habit = switch == "habit" and state.returned_before and time - state.returned_before <= HABIT_MS
    if state.presence.value == "missing" or away > AWAY_DAYS:
        return "missing"
    if state.presence.value == "off":  # a habit that ages meanwhile changes nothing
        return "off"
    return "off" if habit or switch == "expected" else "missing"


def _with_return(old: State, new: State) -> State:
    """Remember a return from a short absence."""
    was, now = old.presence, new.presence
    if now.value != "present" or was.value not in ("off", "missing"):
        return new
    if now.since - was.since > _SWITCHED_MS:
        return new
    return new._replace(returned=now.since, returned_before=old.returned)


def _fault(state: State, seen: Observation) -> str:
    """The fault's text: one that the device itself reported outlives a failed query."""
    reported = state.health.value == "fault" and state.fault not in CANNOT_BE_ASKED
    if reported and seen.fault in CANNOT_BE_ASKED:
        return state.fault
    return seen.fault or state.fault


def _health(state: State, seen: Observation) -> str:
    """The health that an observation shows, empty if none.

    A projector in standby does not report faults, so only one that is on can be well again. If
    the fault was that queries failed, any answer repairs it.
    """
    if seen.present and seen.fault:
        return "fault"
    lit = seen.power == "on" or (seen.power == "unknown" and not state.power_reported)
    answers = state.fault in CANNOT_BE_ASKED and seen.power != "unknown"
    return "well" if seen.present and (lit or answers) else ""


def _updated(aspect: Aspect, value: str, time: int, was_silent: bool, rule: Rule) -> Aspect:
    if value == aspect.value:
        return aspect._replace(pending="", pending_since=0) if aspect.pending else aspect
    if value != aspect.pending or was_silent:
        return aspect._replace(pending=value, pending_since=time)
    if time - aspect.pending_since < rule.confirm:
        return aspect
    return Aspect(value, aspect.pending_since)


def _with_power(state: State, seen: Observation) -> State:
    power = seen.power if seen.present else "unknown"
    if power != state.power or not state.power_since:
        state = state._replace(power=power, power_since=seen.time)
    return state._replace(
        power_reported=state.power_reported or power != "unknown",
        used=seen.time if power == "on" else state.used,
    )


def _changes(old: State, new: State) -> Iterator[Change]:
    if new.presence.value != old.presence.value:
        # A listed device that was never present cannot be gone; one that was off is no news.
        was, now = old.presence.value, new.presence.value
        if now == "present" and was != "off":
            yield Change("appeared", new.presence.since)
        elif now == "missing" and was == "present":
            yield Change("gone", new.presence.since)
        elif now == "missing" and was == "off":  # the event is of the day that found it
            yield Change("gone", new.last)
    if new.health.value != old.health.value:
        if new.health.value == "fault":
            yield Change("fault", new.health.since, new.fault)
        elif old.health.value == "fault":
            yield Change("repaired", new.health.since, old.fault)

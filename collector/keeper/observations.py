"""A day's reports as observations of each device, reduced to its state. Pure.

An agent reports a device while it is present, and as absent once it is gone. An agent that
restarted does not know which devices were present the day before, but the store does: if a probe
ran and did not report a device of its kind that is known, that counts as an observed absence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from agent.common.vocabulary.devices import codes
from collector.keeper.devices import LISTED, DeviceKey, may_be_off
from collector.keeper.fields import certain, text
from collector.keeper.midnight import MS
from collector.keeper.sightings import HIDDEN, who_of
from collector.keeper.state import RULE, Change, Observation, Rule, State, Switch, advance
from collector.store import Point

#: The agent's probe that reports devices of a kind.
_PROBES = {
    "sound": "sound", "microphone": "sound", "camera": "cameras", "document_camera": "cameras",
    "touch": "touch", "printer": "printers",
}  # fmt: skip
_DISPLAYS = "displays"
_TV = frozenset({"display", "tv"})
#: A device that has been missing for this long is no longer tracked.
_FORGOTTEN_MS = 30 * 86_400_000


class Known(NamedTuple):
    """A device as known after the days before."""

    state: State
    kind: str
    connector: str
    words: tuple[str, str, str] = ("", "", "")  # maker, model, serial
    display: str = ""  # the display last seen there, as `identity:kind`


class DeviceDay(NamedTuple):
    """A device's day: the device at its end, and the changes during it."""

    known: Known
    changes: list[Change]


def reduce_day(
    devices: Iterable[Point],
    agents: Iterable[Point],
    before: Mapping[DeviceKey, Known],
    rule: Rule = RULE,
    with_tv: Collection[tuple[str, str]] = (),
) -> dict[DeviceKey, DeviceDay]:
    """The day of every device that was reported or should have been.

    `devices` and `agents` are the day's raw points, in any order; `before` is what the days
    before left.
    """
    known = tracked(before)
    return go_on(devices, agents, known, rule, with_tv)


def tracked(before: Mapping[DeviceKey, Known]) -> dict[DeviceKey, Known]:
    """Without the devices that have been missing for too long."""
    return {key: device for key, device in before.items() if not _forgotten(device)}


def go_on(
    devices: Iterable[Point],
    agents: Iterable[Point],
    known: dict[DeviceKey, Known],
    rule: Rule,
    with_tv: Collection[tuple[str, str]],
) -> dict[DeviceKey, DeviceDay]:
    """As `reduce_day`, from the devices `known` so far, which is brought up to date.

    A PC's day may be reduced in several calls, each with later reports than the call before,
    while `same_rules` holds for its devices; the changes are those of the call.
    """
    readings = sorted(filter(certain, devices), key=lambda point: point.time)
    observations: dict[DeviceKey, set[Observation]] = defaultdict(set)
    reported_at: set[tuple[DeviceKey, int]] = set()
    for point in readings:
        key = key_of(point)
        known[key] = _updated(point, known.get(key))
        observations[key].add(_observation(point))
        reported_at.add((key, point.time // MS))
    for key, time in _absent(agents, known, observations, reported_at):
        observations[key].add(Observation(time, present=False))
    found = {
        key: _day(known[key], seen, rule, _switch(known[key], key[:2] in with_tv))
        for key, seen in observations.items()
    }
    known |= {key: day.known for key, day in found.items()}
    return found


def same_rules(one: Known, tv: bool, other: Known, other_tv: bool) -> bool:
    """Whether a device's reports mean the same under both: a day has one set of rules."""
    return (_switch(one, tv), _probe(one)) == (_switch(other, other_tv), _probe(other))


def _probe(known: Known) -> str:
    """The probe that reports a device; empty for one that the settings list."""
    listed = known.connector.startswith(LISTED)
    return "" if listed else _PROBES.get(known.kind, _DISPLAYS)


def _updated(point: Point, before: Known | None) -> Known:
    """The device after this report.

    Who it is stays if the report does not say, or says that it is absent.
    """
    words, display, state = words_of(point), display_of(point), State()
    if before is not None:
        absent = point.fields.get("present") is False
        state, words = before.state, words if any(words) and not absent else before.words
        display = before.display if absent else display or before.display
    connector = text(point.fields, "connector")
    return Known(state, point.tags.get("kind", ""), connector, words, display)


def _switch(known: Known, with_tv: bool) -> Switch:
    if not may_be_off(known.kind, known.connector):
        return "none"
    return "expected" if with_tv and known.kind in _TV else "habit"


def _day(known: Known, observations: set[Observation], rule: Rule, switch: Switch) -> DeviceDay:
    state, changes = advance(known.state, observations, rule, switch)
    return DeviceDay(known._replace(state=state), changes)


def _absent(
    agents: Iterable[Point],
    known: Mapping[DeviceKey, Known],
    observations: Mapping[DeviceKey, set[Observation]],
    reported_at: set[tuple[DeviceKey, int]],
) -> list[tuple[DeviceKey, int]]:
    """Devices and times (ms) of reports whose probes ran and did not report them."""
    of_machine: dict[tuple[str, str], list[tuple[DeviceKey, str, int]]] = defaultdict(list)
    for key, device in known.items():
        if probe := _probe(device):
            since = 0 if device.state.last else min(seen.time for seen in observations[key])
            of_machine[key[:2]].append((key, probe, since))
    found = []
    for point in filter(certain, agents):
        time, ran = point.time // MS, text(point.fields, "probes").split(",")
        machine = point.tags.get("school", ""), point.tags.get("machine", "")
        for key, probe, since in of_machine.get(machine, ()):
            if probe in ran and time >= since and (key, time) not in reported_at:
                found.append((key, time))
    return found


def _observation(point: Point) -> Observation:
    fields = point.fields
    return Observation(
        point.time // MS,
        fields.get("present") is not False,
        text(fields, "power") or "unknown",
        codes(text(fields, "fault")),
    )


def _forgotten(known: Known) -> bool:
    state = known.state
    missing = state.presence.value == "missing"
    return missing and state.last - state.presence.since > _FORGOTTEN_MS


def words_of(point: Point) -> tuple[str, str, str]:
    """Maker, model and serial, each empty if the point lacks it."""
    fields = point.fields
    return text(fields, "maker"), text(fields, "model"), text(fields, "serial")


def display_of(point: Point) -> str:
    """The display that it is of, as `identity:kind`; empty if of none, or of an unread EDID."""
    who = who_of(point) if text(point.fields, "model") or HIDDEN in point.fields else None
    return ":".join(who) if who else ""


def key_of(point: Point) -> DeviceKey:
    """School, machine and device."""
    tags = point.tags
    return tags.get("school", ""), tags.get("machine", ""), tags.get("device", "")

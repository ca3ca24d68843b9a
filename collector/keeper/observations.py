"""What a day's reports say of each device: the looks that its state is folded from. Pure.

A device is told while it is there, and as absent once it has gone. After a start the agent no
more knows what was there the day before; the store does: where a probe ran well and does not
tell a device that it would have seen, the device is absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from agent.common.vocabulary.devices import codes
from collector.keeper.devices import DeviceKey
from collector.keeper.fields import certain, text
from collector.keeper.midnight import MS
from collector.keeper.state import RULE, Change, Look, Rule, State, fold
from collector.store.base import Point

#: Which probe of the agent sees devices of a kind.
_PROBES = {
    "sound": "sound", "microphone": "sound", "camera": "cameras", "document_camera": "cameras",
    "touch": "touch", "printer": "printers",
}  # fmt: skip
_DISPLAYS = "displays"
#: Devices on the network are listed in the settings; the agent itself tells the silent ones.
LISTED = "net:"
#: A device that has been missing for so long is no more looked for.
_FORGOTTEN_MS = 30 * 86_400_000


class Known(NamedTuple):
    """A device as the days before left it."""

    state: State
    kind: str
    connector: str
    words: tuple[str, str, str] = ("", "", "")  # maker, model, serial


class Day(NamedTuple):
    """A device's day: where it ends, and what happened."""

    known: Known
    changes: list[Change]


def fold_day(
    devices: Iterable[Point],
    agents: Iterable[Point],
    before: Mapping[DeviceKey, Known],
    rule: Rule = RULE,
) -> dict[DeviceKey, Day]:
    """All devices that the day's raw points tell, or should have told, from where they were."""
    told = sorted(filter(certain, devices), key=lambda point: point.time)
    known = {key: one for key, one in before.items() if not _forgotten(one)}
    looks: dict[DeviceKey, set[Look]] = defaultdict(set)
    told_at: set[tuple[DeviceKey, int]] = set()
    for point in told:
        key = key_of(point)
        known[key] = _known_by(point, known.get(key))
        looks[key].add(_look(point))
        told_at.add((key, point.time // MS))
    for key, time in _absent(agents, known, looks, told_at):
        looks[key].add(Look(time, present=False))
    return {key: _day(known[key], looks[key], rule) for key in looks}


def _known_by(point: Point, before: Known | None) -> Known:
    """A device as this report leaves it; its words last longer than a report without any."""
    words, state = words_of(point), State()
    if before is not None:
        state, words = before.state, words if any(words) else before.words
    return Known(state, point.tags.get("kind", ""), text(point.fields, "connector"), words)


def _day(known: Known, looks: set[Look], rule: Rule) -> Day:
    state, changes = fold(known.state, looks, rule)
    return Day(known._replace(state=state), changes)


def _absent(
    agents: Iterable[Point],
    known: Mapping[DeviceKey, Known],
    looks: Mapping[DeviceKey, set[Look]],
    told_at: set[tuple[DeviceKey, int]],
) -> list[tuple[DeviceKey, int]]:
    """Devices and times (ms) of reports whose probes should have told them and did not."""
    of_machine: dict[tuple[str, str], list[tuple[DeviceKey, str, int]]] = defaultdict(list)
    for key, one in known.items():
        if not one.connector.startswith(LISTED):
            since = 0 if one.state.last else min(look.time for look in looks[key])
            of_machine[key[:2]].append((key, _PROBES.get(one.kind, _DISPLAYS), since))
    found = []
    for point in filter(certain, agents):
        time, ran = point.time // MS, text(point.fields, "probes").split(",")
        machine = point.tags.get("school", ""), point.tags.get("machine", "")
        for key, probe, since in of_machine.get(machine, ()):
            if probe in ran and time >= since and (key, time) not in told_at:
                found.append((key, time))
    return found


def _look(point: Point) -> Look:
    fields = point.fields
    return Look(
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
    """Maker, model and serial, empty where a point does not say."""
    fields = point.fields
    return text(fields, "maker"), text(fields, "model"), text(fields, "serial")


def key_of(point: Point) -> DeviceKey:
    """School, machine and device."""
    tags = point.tags
    return tags.get("school", ""), tags.get("machine", ""), tags.get("device", "")

"""When the former credential of a rotation may end, and which PCs it still waits for. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from agent.common.calendar import CITY_TIME
from agent.common.language import counted, say
from collector.enrol.seen import Seen
from collector.enrol.state import Held, Rotation

#: PCs that were seen so long before the rotation began, or later, are waited for: counted from its
#: beginning and not from today, as a summer holiday is longer.
BEFORE_MS = 30 * 86_400_000


class Standing(NamedTuple):
    """The PCs of a school that count, by machine id."""

    moved: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    #: Of `behind`, those that take the new credential at each boot and forget it: restore cards.
    forgetful: tuple[str, ...] = ()


def standing(
    held: Held,
    rotation: Rotation,
    said: Iterable[Seen],
    reported: Collection[str],
    retired: Collection[str],
) -> Standing:
    """Who has moved to the present credential.

    `said`: what the PCs of the school said last. `reported`: machine ids that the store has since
    `since(rotation)`; of those that said nothing nobody knows what they hold. `retired` ones do
    not count.
    """  # fmt: skip
    known = {one.machine: one for one in said if one.at_ms >= since(rotation)}
    wanted = held.now.generation
    moved, behind, forgetful = [], [], []
    for machine in sorted({*known, *reported} - set(retired)):
        one = known.get(machine)
        if one is not None and one.kept and one.generation >= wanted:
            moved.append(machine)
            continue
        behind.append(machine)
        if one is not None and one.generation >= wanted:
            forgetful.append(machine)
    return Standing(tuple(moved), tuple(behind), tuple(forgetful))


def since(rotation: Rotation) -> int:
    """From when on a PC must have been seen to be waited for, ms since 1970 UTC."""
    return rotation.begun_ms - BEFORE_MS


def verdict(rotation: Rotation, found: Standing, now_ms: int) -> str:
    """Why the former credential ends now; empty where it does not yet."""
    if rotation.until and day_of(now_ms).isoformat() > rotation.until:
        return f"until {rotation.until}"
    if found.behind:
        return ""
    # A school of which no PC has been seen may be about to install the former bundle.
    if not found.moved and now_ms < rotation.begun_ms + BEFORE_MS:
        return ""
    return f"moved {len(found.moved)}"


def day_of(ms: int) -> dt.date:
    """The day in the city."""
    return dt.datetime.fromtimestamp(ms / 1000, CITY_TIME).date()


def waits(rotation: Rotation, found: Standing) -> str:
    """What a rotation waits for, in words."""
    parts = []
    if found.behind:
        count = len(found.behind)
        parts.append(
            say(f"还有 {count} 台电脑用旧凭据", f"{counted(count, 'PC')} on the former credential")
        )
    if found.forgetful:
        count = len(found.forgetful)
        parts.append(
            say(
                f"其中 {count} 台拿到了新的、还没有重启过，或有还原卡",
                f"{count} of them have the new one but have not restarted since, or forget it "
                "(restore card)",
            )
        )
    if rotation.until:
        parts.append(say(f"最迟到 {rotation.until}", f"until {rotation.until} at the latest"))
    return say("；", "; ").join(parts)


def trusting(said: Sequence[Seen], digests: Collection[str], since_ms: int) -> Standing:
    """Which PCs trust a CA: their file, named by its digest, is one of `digests`."""
    counted = [one for one in said if one.at_ms >= since_ms]
    moved = tuple(one.machine for one in counted if one.kept and one.ca in digests)
    behind = tuple(one.machine for one in counted if not (one.kept and one.ca in digests))
    return Standing(moved, behind)

"""A clock set back ten years: the outbox's reports keep their times, and all are sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.outbox import Outbox
from agent.wire import Report, decode_message
from outbox_cases import BIG, MACHINE, NOW, sound, use

TEN_YEARS = 10 * 365 * 86_400_000


def test_a_clock_set_back_ten_years_while_running_and_between_starts(tmp_path: Path) -> None:
    wall: list[int] = [NOW]
    elapsed: list[int] = [0]
    path = tmp_path / "outbox.db"

    def clock() -> Clock:
        return Clock(lambda: wall[0], lambda: elapsed[0])

    first = clock()
    outbox = Outbox(path, MACHINE, first)
    first.on_echo(first.mark(), NOW)
    outbox.put(BIG, evidence=True)
    wall[0] -= TEN_YEARS
    elapsed[0] += 1000
    outbox.put(BIG, evidence=True)
    sealed = [decode_message(one.payload) for one in outbox.due()]
    times = [one.time for one in sealed if isinstance(one, Report)]
    assert times == [NOW, NOW + 1000]
    assert not any(one.uncertain for one in sealed if isinstance(one, Report))
    outbox.put(BIG, evidence=True)
    outbox.close()
    elapsed[0] = 5  # another start of the PC
    again: Any = use(path, clock())
    sound(again)

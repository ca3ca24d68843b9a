"""One id that two PCs use: found by interleaving boots, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.keeper.days import machine_days, room_days
from collector.keeper.previous_state import PreviousState
from collector.keeper.schoolday import SchoolDay
from collector.keeper.sharing import interleave
from collector.roster.register import Decision, Register

M = 60_000


@pytest.mark.parametrize(
    ("boots", "is_shared"),
    [
        ([(0, 10), (11, 20)], False),  # one after the other
        ([(0, 10), (5, 20)], True),
        ([(0, 100), (5, 6)], True),  # one within the other
        ([(0, 10), (9.5, 20)], False),  # a clock that was set by half a minute
        ([(0, 10), (11, 11), (12, 30)], False),  # starts that ended at once
        ([(0, 100), (50, 50)], False),  # one single report proves nothing
        ([(0, 10), (20, 30), (25, 40)], True),
        ([(0, 30), (1, 1.5), (20, 40)], True),
        ([], False),
    ],
)
def test_boots(boots, is_shared):
    spans = {f"{n:016x}": (int(a * M), int(b * M)) for n, (a, b) in enumerate(boots)}
    assert interleave(spans) is is_shared


def test_a_shared_id_is_marked_with_its_sources_and_is_no_evidence(
    make: Any, register: Register, day
):
    sources = "product_uuid=0011,board_serial=2233"
    raw = [
        make.agent(1, at, boot=boot, room="lab", sources=sources)
        for at, boot in (("08:00", "a"), ("08:01", "b"), ("08:05", "a"), ("08:06", "b"))
    ]
    raw += [make.agent(2, at, boot="c", room="lab") for at in ("08:00", "08:05")]
    days = machine_days(raw, [], [], register, day)
    shared = {p.tags["machine"]: p.fields for p in days if p.fields.get("shared_id")}
    assert list(shared) == [make.machine(1)]
    assert shared[make.machine(1)]["shared_sources"] == sources
    (lab,) = room_days(days, [], register, day)
    assert (lab.fields["pcs"], lab.fields["weak_pcs"]) == (1, 1)
    again = machine_days([], [], days, register, day)
    assert again == days  # also where the telemetry behind it is pruned


def test_two_pcs_that_were_merged_by_mistake_share_no_id(make: Any, store: Any, register, day):
    """Each has an id of its own: to leave its sources out would rename PCs that are well."""
    for at in ("08:00", "08:05", "08:10"):
        for n in (1, 2):
            store.write([make.agent(n, at, day, boot=f"{n}", sources=f"product_uuid=000{n}")])
    decided = Decision(make.school, make.machine(1), "merge", make.machine(2))
    merged = replace(register, decisions=[decided])
    derived = SchoolDay(store, merged, make.school, day, PreviousState(store)).derive()
    (row,) = [point for point in derived if point.measurement == "machine_day"]
    assert row.tags["machine"] == make.machine(2)
    assert row.fields["boots"] == 2
    assert not {"shared_id", "shared_sources"} & set(row.fields)

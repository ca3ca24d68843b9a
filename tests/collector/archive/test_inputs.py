"""All that a figure is made of goes into an archive, and comes back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import msgspec
import pytest

from agent.common.calendar import Calendar, Hours
from collector import config
from collector.archive import inputs
from collector.archive.inputs import Inputs
from collector.archive.method import METHOD, METHODS, judged
from collector.archive.results import numbers
from collector.archive.table import TableError
from collector.roster.register import Decision, Register
from freeze_town import town

#: What of a register no verdict depends on, and an archive leaves out.
BESIDE = {"policies"}


def made_of(**settings: Any) -> Inputs:
    made = town()
    made.calendar = Calendar(
        terms=((dt.date(2025, 2, 24), dt.date(2026, 1, 16)),),
        holidays=frozenset({dt.date(2025, 10, 1), dt.date(2025, 10, 2)}),
        makeup=frozenset({dt.date(2025, 9, 28)}),
        hours=Hours(lessons=((dt.time(8, 30), dt.time(12, 0)),)),
    )
    rules = config.Figure(**settings)
    register = dataclasses.replace(
        made.register(), decisions=(Decision("9901020001", "a" * 32, "bind", "101"),)
    )
    return Inputs(2025, made.cutoff, register, made.evidence(), rules, made.city)


def test_they_come_back_and_give_the_same_figure() -> None:
    before = made_of(min_seats=10, required=("computer",), cutoff=dt.date(2025, 12, 30))
    again = inputs.of_members(dict(inputs.members(before)))
    assert again.settings == before.settings
    assert again.city == before.city
    assert dict(inputs.members(again)) == dict(inputs.members(before))
    for item in dataclasses.fields(Register):
        if item.name not in BESIDE:
            kept = getattr(again.register, item.name)
            assert _plain(kept) == _plain(getattr(before.register, item.name)), item.name
    first, second = judged(before, METHOD), judged(again, METHOD)
    assert list(second.units) == list(first.units)
    assert list(second.lines) == list(first.lines)
    assert numbers(second) == numbers(first)


def _plain(rows: Any) -> Any:
    return tuple(rows) if isinstance(rows, list) else rows


def test_what_is_missing_or_unknown_is_said() -> None:
    found = dict(inputs.members(made_of()))
    with pytest.raises(KeyError, match="other"):
        inputs.of_members({k: v for k, v in found.items() if k != "evidence/other.json"})
    with pytest.raises(TableError, match="tablets"):
        inputs.of_members({**found, "evidence/tablets.csv": b""})
    newer = found["settings.json"].replace(b'"bonded"', b'"bonding"')
    with pytest.raises(msgspec.ValidationError, match="bonding"):
        inputs.of_members({**found, "settings.json": newer})


def test_a_table_that_is_newer_than_the_archive_is_empty() -> None:
    found = dict(inputs.members(made_of()))
    del found["register/machines.csv"]
    assert inputs.of_members(found).register.machines == ()


def test_the_method_in_force_is_the_newest() -> None:
    assert max(METHODS) == METHOD

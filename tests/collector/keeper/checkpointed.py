"""A keeper that starts from its checkpoints, and a day that is saved in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from collector.keeper import Keeper, saved
from collector.keeper.checkpoints import FILE, Checkpoints
from collector.roster.register import Register
from collector.store.base import Store

from .conftest import DAY, SCHOOL, MakePoints
from .passes import NOW, keeper, pass_over, projector, rows


@contextmanager
def started(
    store: Store, folder: Path, known: Register | None = None, now: int = NOW
) -> Iterator[Keeper]:
    with closing(Checkpoints(folder / FILE)) as file:
        one = keeper(store, known, now, file)
        one.begin()
        yield one


def save(one: Keeper) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved, "_EVERY_S", 0.0)
        one._days.save()


def saved_day(store: Store, folder: Path, make: MakePoints) -> int:
    """A projector's morning, derived and saved; when the next report is due, ns."""
    raw = [p for at in range(0, 50, 5) for p in projector(make, f"10:{at:02}", DAY, present=True)]
    store.write(raw)
    with started(store, folder) as one:
        pass_over(one, {(SCHOOL, 0): raw[0].time})
        save(one)
    return make.time("10:50")


def resumed(store: Store, folder: Path, since: int, known: Register | None = None) -> None:
    with started(store, folder, known) as one:
        pass_over(one, {(SCHOOL, 0): since})
    before = rows(store)
    pass_over(keeper(store, known), {(SCHOOL, 0): 0})
    assert rows(store) == before

"""Several keepers, each of a part of the schools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import city_day
from collector.config import City, Figure
from collector.keeper import Keeper
from collector.keeper.midnight import midnight
from collector.keeper.part import Part, part_of
from collector.store.base import Store

from .passes import S, rows, stores

TOWN = city_day.City(schools=7, pcs=3)
NOON = midnight(city_day.DAY) + 12 * 3600 * S


def keeper(store: Store, part: str) -> Keeper:
    known = city_day.register(TOWN)
    return Keeper(
        store, lambda: known, Figure(), City(), now=lambda: NOON, version=lambda: 1,
        part=part_of(part),
    )  # fmt: skip


@given(st.integers(1, 40), st.lists(st.text(max_size=12), unique=True))
def test_each_school_is_in_one_part(of: int, schools: list[str]) -> None:
    parts = [Part(number, of).schools(schools) for number in range(1, of + 1)]
    assert sorted(school for part in parts for school in part) == sorted(schools)


@pytest.mark.parametrize("text", ["", "2", "/", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b"])
def test_what_names_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^" + text + "$"):
        part_of(text)


def test_all_parts_together_leave_what_one_keeper_leaves() -> None:
    with stores(2) as (parted, whole):
        for store in (parted, whole):
            for code in TOWN.codes:
                for points in city_day.reports(TOWN, code, 0, 9 * 3600):
                    store.write(points)
        changed = []
        for number in (3, 1, 2):
            one = keeper(parted, f"{number}/3")
            assert 0 < len(one.schools()) < TOWN.schools
            changed.append(one.derive([city_day.DAY]))
            for code in TOWN.codes:  # also those of other parts, which it leaves alone
                one.derive_school(code, city_day.DAY)
        assert all(changed)
        keeper(whole, "1/1").derive([city_day.DAY])
        assert rows(parted) == rows(whole)


@pytest.mark.parametrize(
    ("other", "again"), [("2/3", False), ("1/3", True), ("1/2", True), ("1/1", True)]
)
def test_only_a_keeper_of_the_same_schools_makes_it_derive_again(other: str, again: bool) -> None:
    with stores(1) as (store,):
        for code in TOWN.codes:
            for points in city_day.reports(TOWN, code, 0, 8 * 3600 + 600):
                store.write(points)
        one = keeper(store, "1/3")
        assert not one.begin()
        second = keeper(store, other)
        second.begin()
        assert second.derive([city_day.DAY])
        assert one.begin() is again

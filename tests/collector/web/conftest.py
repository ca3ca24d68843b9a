"""The city of the pages' tests, made once: pages only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import web_city
from web_city import Place, Rig


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Its folder, store and register."""
    yield from web_city.made(tmp_path_factory.mktemp("city"))


@pytest.fixture
def rig(place: Place) -> Rig:
    """The pages as everybody on this machine gets them."""
    return Rig(place)


@pytest.fixture
def stocked(rig: Rig) -> Rig:
    """The same, with every school gone through for broken devices."""
    rig.site._stock._pass()
    return rig

"""A slice of the fault matrix for every day; `make faults` runs all of it."""

from __future__ import annotations

import pytest

import services

pytestmark = [pytest.mark.mosquitto, pytest.mark.influxdb, pytest.mark.slow]


@pytest.mark.parametrize(("name", "cycles"), [("kills", 10), ("poison", 1), ("restore", 1)])
def test_nothing_is_lost(name: str, cycles: int) -> None:
    for program in ("mosquitto", "influxd", "nginx"):
        services.require(program)
    import matrix

    found = matrix.run(name, cycles, seed=7)
    assert (found.lost, found.twice, found.held, found.differ) == (0, 0, 0, 0), found
    assert found.produced == found.stored + found.quarantined > 100, found

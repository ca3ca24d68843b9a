"""The line probe on a line of known rate, and the true rate must come out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import shaped
from shaped import PC, Lab

pytestmark = [pytest.mark.netns, pytest.mark.slow]

MBIT = 10


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    try:
        with shaped.lab() as made:
            yield made
    except shaped.NoLabError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[str]:
    with lab.measurement_server() as url:
        yield url


def test_a_line_of_10_mbit(lab: Lab, server: str) -> None:
    lab.shape(MBIT)
    test: dict[str, Any] = json.loads(lab.output(PC, shaped.MEASURE, server))
    assert test["outcome"] == "ok", test
    assert test["down_mbps"] == pytest.approx(MBIT, rel=0.03)
    assert test["up_mbps"] == pytest.approx(MBIT, rel=0.03)
    assert test["down_low"] <= test["down_mbps"] <= test["down_high"]
    assert test["other_share"] < 0.05
    assert test["server_limited"] is False
    assert test["loaded_ms"] > test["latency_ms"]
    assert test["payload_down"] < 9_500_000  # what comes in the time that a download has at most

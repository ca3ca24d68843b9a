"""The line probe on lines with a long round trip or losses: the true rate, or one that was carried.

Near lines keep their time, and a PC whose receive windows are too small says so.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import far_line
import shaped
from agent.common.steady import Sample
from agent.common.vocabulary.thresholds import is_lossy
from agent.probes.line.load import time_for
from agent.probes.line.turn import EndedError, Server
from far_line import Brought, FarLab
from shaped import PC


@pytest.fixture(scope="module")
def lab() -> Iterator[FarLab]:
    try:
        with far_line.far_lab() as made:
            yield made
    except shaped.NoLabError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server(lab: FarLab) -> Iterator[str]:
    lab.far(1000)
    with lab.measurement_server() as url:
        yield url


def _tested(
    lab: FarLab, server: str, mbps: float, rtt_ms: float, loss: float = 0.0
) -> tuple[dict[str, Any], Brought]:
    """A test of a line that the machine had the time to make, and a PC the time to measure.

    A rate is always held against the line. No rate, by name, is what a machine says whose
    processes wait for a processor: twice on a calm one it is a failure.
    """
    calm = []
    for _ in range(3):
        lab.far(mbps, rtt_ms=rtt_ms, loss=loss)
        begun, waited = time.monotonic(), far_line.waited_s()
        test: dict[str, Any] = json.loads(lab.output(PC, shaped.MEASURE, server))
        brought = lab.brought()
        made = brought.late < 0.02 and not test.get("pc_limited")
        if made and "up_mbps" in test:
            return test, brought
        if made and far_line.waited_s() - waited < 0.2 * (time.monotonic() - begun):
            calm.append((test, brought))
        if len(calm) == 2:
            return test, brought
    pytest.skip("this machine is too busy to make a far line of that rate")


@pytest.mark.netns
@pytest.mark.slow
@pytest.mark.parametrize(("mbps", "rtt_ms"), [(4, 600), (10, 600), (10, 80), (10, 30)])
def test_a_far_line_reads_its_rate(lab: FarLab, server: str, mbps: float, rtt_ms: float) -> None:
    test, _ = _tested(lab, server, mbps, rtt_ms)
    assert test["outcome"] == "ok", test
    assert test["down_mbps"] == pytest.approx(mbps, rel=0.01)
    assert test["up_mbps"] == pytest.approx(mbps, rel=0.01)
    assert test["latency_ms"] >= rtt_ms
    assert test["payload_down"] + test["payload_up"] < 100_000_000


@pytest.mark.netns
@pytest.mark.slow
@pytest.mark.parametrize("mbps", [50, 100])
def test_a_lossy_line_reads_a_rate_that_it_carried(lab: FarLab, server: str, mbps: float) -> None:
    """1% of the frames are lost: eight connections do not fill the line, and the test says so.

    What they carry falls from the first second on and then goes up and down, so that no one rate
    is the true one; but the reading is among those of the test's seconds.
    """
    test, brought = _tested(lab, server, mbps, 80, loss=0.01)
    assert test["outcome"] == "ok", test
    rates = _by_second(brought.down)
    assert 0.98 * min(rates) <= test["down_mbps"] <= 1.02 * max(rates)
    assert test["down_mbps"] < 0.9 * mbps
    assert 0.005 < test["loss_share"] < 0.05
    assert is_lossy(test["loss_share"], test["latency_ms"], test["loaded_ms"]), test


def _by_second(readings: Sequence[Sample]) -> list[float]:
    """What a way carried in each second once it was under way, and in what is left, Mbit/s."""
    first, last = readings[0][1], readings[-1][1]
    part = [one for one in readings if first + 0.1 * (last - first) <= one[1] < last]
    found, start = [], part[0]
    for one in part:
        if one[0] - start[0] >= 1.0 or one is part[-1]:
            found.append((one[1] - start[1]) * 8 / (one[0] - start[0]) / 1e6)
            start = one
    return found


@pytest.mark.netns
@pytest.mark.slow
def test_a_pc_with_small_receive_windows_says_that_it_is_the_limit(
    lab: FarLab, server: str
) -> None:
    """64 kB, as programs that "tune" Windows set it: eight of them are 50 Mbit/s at 80 ms."""
    with lab.receive_windows(65_536):
        lab.far(100, rtt_ms=80)
        test = json.loads(lab.output(PC, shaped.MEASURE, server))
    assert test["outcome"] == "ok", test
    assert test["down_mbps"] < 97
    assert test["pc_limited"] is True
    assert "pc_limited" in test["reason"]


def test_only_a_far_line_gets_more_time_and_never_more_than_the_server_allows() -> None:
    assert time_for(15, 0.0) == 15
    assert 45 <= time_for(15, 0.6) <= 60
    assert time_for(15, 30.0) == 60
    assert time_for(120, 0.6) == 120


def test_connecting_measures_the_round_trip() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", 5)
        assert 0 < server.connect() < 5
        server.close()


def test_a_slow_first_connection_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trips = iter([1.05, 0.02, 0.7, 0.6])
    server = Server("http://127.0.0.1:9", 5)
    monkeypatch.setattr(server, "_connect", lambda: next(trips))
    assert server.connect() == 0.02
    assert server.connect() == 0.6


def test_connecting_to_nobody_ends_the_test_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EndedError) as failed:
        Server(f"http://127.0.0.1:{port}", 5).connect()
    assert (failed.value.outcome, failed.value.reason) == ("unreachable", "no_connection")

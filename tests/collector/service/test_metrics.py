"""/metrics: real HTTP, the format that Prometheus reads, and every name of the schema's."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import RefusedError
from collector.service import metrics
from collector.service.pipeline.counts import Counts
from collector.service.self_metrics import SelfMetrics

_LINE = re.compile(r'schoolpulse_[a-z_]+(\{reason="(?:[^"\\\n]|\\.)*"\})? -?[0-9.e+]+')


@pytest.fixture
def running() -> Any:
    counts = Counts()
    counts.add("received", 3)
    counts.quarantine("unreadable: no JSON")
    counts.quarantine('odd"word: x')
    own = SelfMetrics(counts, lambda: {"queue": 2, "oldest_s": 1.5, "certificate_days": None})
    own.broker_said("$SYS/broker/publish/messages/dropped", b"17")
    made = metrics.Metrics("127.0.0.1:0", counts, own)
    made.start()
    yield made
    made.stop()


def get(running: Any, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}{path}", timeout=120) as reply:
        assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(reply.read().decode())


def test_it_tells_counts_gauges_reasons_and_the_broker(running: Any) -> None:
    text = get(running, "/metrics")
    for line in text.splitlines():
        assert line.startswith("# ") or _LINE.fullmatch(line), line
    assert "schoolpulse_received_total 3" in text
    assert 'schoolpulse_quarantined_by_reason_total{reason="unreadable"} 1' in text
    assert "schoolpulse_oldest_s 1.5" in text
    assert "schoolpulse_broker_dropped 17" in text
    assert "certificate_days" not in text, "what is not known is not told"


def test_other_paths_are_not_found(running: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(running, "/")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(RefusedError, match=address):
        metrics.Metrics(address, Counts(), SelfMetrics(Counts(), dict))


def test_a_taken_port_is_refused(running: Any) -> None:
    with pytest.raises(RefusedError):
        metrics.Metrics(f"127.0.0.1:{running.port}", Counts(), SelfMetrics(Counts(), dict))


def test_when_our_ca_ends(tmp_path: Path) -> None:
    import datetime as dt
    import subprocess

    import services

    ca = tmp_path / "ca.pem"
    argv = f"req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=t -keyout {tmp_path}/k -out {ca}"
    subprocess.run([services.require("openssl"), *argv.split()], check=True, capture_output=True)
    ends = metrics.ca_ends(str(ca))
    assert ends is not None
    assert 29 <= (ends - dt.datetime.now(dt.UTC).timestamp()) / 86_400 <= 30
    assert metrics.ca_ends(str(tmp_path / "none")) is None

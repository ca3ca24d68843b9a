"""`schoolpulse-agent line`: what it prints, and its exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec
import pytest

from agent.commands import line
from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.vocabulary import thresholds
from agent.resident import status
from agent.resident.status import Status
from agent.wire import LineTest
from agent.wire.postponed import Postponed

GOOD = LineTest(
    test="1" * 32, line="主线", outcome="ok", down_mbps=9.7, up_mbps=9.9, down_low=9.68,
    down_high=9.74, latency_ms=1.25, loaded_ms=80.0, jitter_ms=0.1, payload_down=5_000_000,
    payload_up=5_000_000, seconds=8.9, interface="enp2s0", wired=True, solo=True,
    other_share=0.0, server_limited=False,
)  # fmt: skip


def args(server: str = "", *, config: Path | None = None, want: bool = False) -> argparse.Namespace:
    return argparse.Namespace(server=server, config=config and str(config), json=want, public=False)


@pytest.fixture
def measured(monkeypatch):
    """Replaces the measurement; gives what the command asked for."""
    asked: dict[str, object] = {}

    def use(test: LineTest) -> dict[str, object]:
        def measure(server: str, **wish: object) -> LineTest:
            asked.update(wish, server=server)
            return test

        monkeypatch.setattr(line, "measure", measure)
        return asked

    return use


@pytest.mark.parametrize(
    ("mbps", "meets"), [(9.7, True), (9.6999, False), (10.0, True), (2.0, False), (940.0, True)]
)
def test_the_threshold_is_met_at_its_tolerance_itself(measured, capsys, mbps, meets):
    measured(LineTest(test="a", line="", outcome="ok", down_mbps=mbps, seconds=1.0))
    assert line.run(args("http://x", want=True)) == DONE
    assert json.loads(capsys.readouterr().out)["meets"] is meets


@pytest.mark.parametrize(("mbps", "meets"), [(97.0, True), (96.99, False), (10.0, False)])
def test_the_threshold_is_that_of_the_policy_that_the_agent_follows(
    measured, capsys, tmp_path, mbps, meets
):
    config = tmp_path / "agent.toml"
    config.write_text(f'data = "{tmp_path}"\n')
    status.write(
        tmp_path,
        Status(pid=1, written=1, school="", machine="", boot="", started=1, threshold_mbps=100.0),
    )
    measured(LineTest(test="a", line="", outcome="ok", down_mbps=mbps, seconds=1.0))
    assert line.run(args("http://x", config=config, want=True)) == DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["threshold_mbps"], found["meets"]) == (100.0, meets)
    line.run(args("http://x", config=config))
    out = capsys.readouterr().out
    assert "对照 100 Mbit/s" in out
    assert "≥ 97 算达标" in out


def test_a_good_test_is_told_in_full(measured, capsys):
    measured(GOOD)
    assert line.run(args("http://x")) == DONE
    out = capsys.readouterr().out
    for text in (
        "9.70 Mbit/s (9.68–9.74)",
        "9.90",
        "1.2 ms",
        "满载 80.0 ms",
        "10 MB",
        "enp2s0",
        "达标",
    ):
        assert text in out
    assert "不作证据" not in out


def test_a_burst_bucket_and_what_was_sent_again_are_told(measured, capsys):
    measured(msgspec.structs.replace(GOOD, burst=True, loss_share=0.012))
    assert line.run(args("http://x")) == DONE
    out = capsys.readouterr().out
    assert "突发桶" in out
    assert "1.2%" in out
    assert "丢包" not in out, "a queue of 80 ms stood: the line was full"


def test_what_losses_held_back_is_told(measured, capsys):
    measured(msgspec.structs.replace(GOOD, loss_share=0.012, latency_ms=31.0, loaded_ms=32.2))
    assert line.run(args("http://x")) == DONE
    out = capsys.readouterr().out
    assert "线路可能更快" in out
    assert "不作证据" not in out


@pytest.mark.parametrize(
    ("loss_share", "latency_ms", "loaded_ms", "lossy"),
    [
        (0.01, 31.0, 32.0, True),
        (0.01, 31.0, 30.0, True),
        (0.002, 31.0, 35.9, True),
        (0.0019, 31.0, 32.0, False),
        (0.3, 31.0, 53.0, False),  # a short queue that overflows
        (0.01, 31.0, 36.0, False),
        (0.01, 301.0, 302.0, False),  # far: it has a rate, so it was full
        (None, 31.0, 32.0, False),
        (0.01, None, 32.0, False),
        (0.01, 31.0, None, False),
    ],
)
def test_what_counts_as_held_back_by_losses(loss_share, latency_ms, loaded_ms, lossy):
    assert thresholds.is_lossy(loss_share, latency_ms, loaded_ms) is lossy


@pytest.mark.parametrize("answer", ["busy", "enough", "full", "later"])
def test_why_it_is_not_our_turn_is_told(monkeypatch, capsys, answer):
    monkeypatch.setattr(line, "measure", lambda *_, **__: Postponed(answer, 60))
    assert line.run(args("http://x")) == FAILED
    assert "60 秒后再来" in capsys.readouterr().out
    assert line.run(args("http://x", want=True)) == FAILED
    assert json.loads(capsys.readouterr().out) == {
        "outcome": answer, "retry_s": 60, "threshold_mbps": 10.0, "meets": None,
    }  # fmt: skip


def test_a_shortfall_and_a_reason_are_told(measured, capsys):
    measured(LineTest(test="a", line="", outcome="ok", down_mbps=9.699, seconds=1.0, reason="wifi"))
    assert line.run(args("http://x")) == DONE  # a slow line is no failed command
    out = capsys.readouterr().out
    assert "不达标" in out
    assert "经过无线网卡" in out


@pytest.mark.parametrize(
    "outcome", ["unreachable", "refused", "busy", "too_slow", "aborted", "garbled", "no_counter"]
)
def test_a_test_without_a_figure_shows_none(measured, capsys, outcome):
    measured(
        LineTest(test="", line="", outcome=outcome, seconds=1.0, reason="broke_off", detail="why")
    )
    assert line.run(args("http://x")) == FAILED
    out = capsys.readouterr().out
    assert "传输中断 (why)" in out
    assert "Mbit/s" not in out
    assert line.run(args("http://x", want=True)) == FAILED
    assert json.loads(capsys.readouterr().out)["meets"] is None


def test_the_settings_name_school_line_and_server(measured, tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text('school = "9963010001"\n[line]\nname = "主线"\nserver = "http://city:8095"\n')
    asked = measured(GOOD)
    assert line.run(args(config=config)) == DONE
    assert (asked["server"], asked["school"], asked["line"]) == (
        "http://city:8095", "9963010001", "主线",
    )  # fmt: skip
    line.run(args("http://other:1", config=config))
    assert asked["server"] == "http://other:1"


def test_the_server_and_line_are_those_that_policy_gave_the_agent(measured, tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text(f'school = "9963010001"\ndata = "{tmp_path}"\n')
    known = Status(pid=1, written=1, school="9963010001", machine="", boot="", started=1,
                   line="主线", server="http://city:8095")  # fmt: skip
    status.write(tmp_path, known)
    asked = measured(GOOD)
    assert line.run(args(config=config)) == DONE
    assert (asked["server"], asked["line"]) == ("http://city:8095", "主线")
    config.write_text(f'school = "9963010002"\ndata = "{tmp_path}"\n')
    with pytest.raises(RefusedError, match="--server"):  # that was another school's
        line.run(args(config=config))


def test_no_server_is_refused_with_the_mend(monkeypatch, tmp_path):
    monkeypatch.setattr("agent.config.DEFAULT_FILE", tmp_path / "none.toml")
    with pytest.raises(RefusedError, match="--server"):
        line.run(args())

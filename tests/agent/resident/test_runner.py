"""The resident agent: what it sends, when, and how it begins and ends."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.config import Config, Line, Probes
from agent.identity import Identity
from agent.probes import Gathered
from agent.resident import gather, status
from agent.resident import runner as runner_module
from agent.resident.runner import Runner, Who
from agent.resident.schedule import PlannedTest, Window
from agent.wire import (
    AgentHealth,
    Device,
    Hello,
    Host,
    LinePolicy,
    LineTest,
    Policy,
    Report,
    decode_message,
    encode,
    topics,
)

MACHINE = "0123456789abcdef" * 2
SCHOOL = "9900000001"
WHO = Who(Identity(MACHINE, False, ("product_uuid",)))


@pytest.fixture
def city(services: Any, tmp_path: Path, collector: Any) -> Iterator[Any]:
    """A fake collector on a real broker; `.port`."""
    (tmp_path / "broker").mkdir()
    with services.broker("mosquitto", tmp_path / "broker") as running:
        made = collector(running.port)
        made.port = running.port
        yield made


@pytest.fixture
def run(tmp_path: Path, city: Any) -> Iterator[Callable[..., Runner]]:
    """Starts runners in threads of their own, and ends them."""
    started: list[tuple[Runner, threading.Thread]] = []

    def start(
        measure: Callable[[LinePolicy], LineTest] | None = None, who: Who = WHO, **more: Any
    ) -> Runner:
        settings = {"school": SCHOOL, "data": str(tmp_path / "data"), "report_s": 300, **more}
        runner = Runner(Config(broker=Broker(port=city.port), **settings), who, measure=measure)
        thread = threading.Thread(target=runner.run)
        started.append((runner, thread))
        thread.start()
        return runner

    yield start
    for runner, thread in started:
        runner.stop()
        thread.join(120)


def heard(city: Any, number: int) -> Any:
    """The message of that number, once it is there; of the first boot that has one."""
    city.wait(lambda: any(key[2] == number for key in city.heard))
    key = next(key for key in city.heard if key[2] == number)
    return decode_message(city.heard[key][0])


def policy(city: Any, **more: Any) -> None:
    policy = Policy(v=1, school=SCHOOL, issued=0, **more)
    city.client.publish(topics.policy_topic(SCHOOL), encode(policy), 1, True)


def test_the_hello_then_report_2_with_the_inventory(city: Any, run: Any) -> None:
    run()
    hello, report = heard(city, 1), heard(city, 2)
    assert isinstance(hello, Hello)
    assert isinstance(report, Report)
    hosts = [one for one in report.readings if isinstance(one, Host)]
    assert len(hosts) == 1
    assert hosts[0].inventory == hello.inventory
    assert hello.inventory.memory_bytes
    health = [one for one in report.readings if isinstance(one, AgentHealth)]
    assert len(health) == 1
    assert health[0].rss_bytes
    assert not report.simulated
    assert not hello.simulated


def test_without_a_host_probe_the_inventory_still_comes(city: Any, run: Any) -> None:
    run(probes=Probes(enabled=("displays",)))
    report = heard(city, 2)
    assert [one.inventory is not None for one in report.readings if isinstance(one, Host)] == [True]


def test_a_change_of_devices_is_reported_at_once(
    city: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [(Device("monitor", "HDMI-1"),), ()]
    monkeypatch.setattr(gather.probes, "run", lambda names, context: Gathered(seen[0], ()))
    run(probes=Probes(enabled=("displays",), check_s=1))
    first = heard(city, 2)
    assert seen[0][0] in first.readings
    seen.pop(0)
    second = heard(city, 3)
    assert not any(isinstance(one, Device) for one in second.readings)


def test_a_change_is_told_again_when_the_keeper_can_believe_it(
    city: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Device("monitor", "HDMI-1")
    seen = [(there,), ()]
    monkeypatch.setattr(
        gather.probes, "run", lambda names, context: Gathered(seen.pop(0) if seen else (), ())
    )
    monkeypatch.setattr(runner_module, "_CONFIRM_S", 2.0)
    run(probes=Probes(enabled=("displays",), check_s=1))
    first, again = heard(city, 3), heard(city, 4)
    assert 1_500 <= again.time - first.time < 300_000, "not the five minutes of the settings"


def test_the_status_names_the_threshold_of_the_policy(city: Any, run: Any, tmp_path: Path) -> None:
    """For `schoolpulse-agent line`, which is a process of its own."""
    runner = run()
    heard(city, 2)
    assert runner._status().threshold_mbps == 10.0
    policy(city, threshold_mbps=100.0, report_s=77)
    city.wait(lambda: runner._status().threshold_mbps == 100.0)
    runner.stop()
    city.wait(lambda: (kept := status.read(tmp_path / "data")) and kept.threshold_mbps == 100.0)


def test_a_policy_changes_the_period_without_a_restart(city: Any, run: Any) -> None:
    run(report_s=None)
    heard(city, 2)
    policy(city, report_s=5)
    heard(city, 3)


def test_a_bad_policy_is_refused_with_a_report_and_the_old_one_stays(city: Any, run: Any) -> None:
    runner = run(report_s=None)
    policy(city, report_s=77)
    heard(city, 2)
    bad = b'{"v":1,"school":"9963010001","issued":1,"report_s":0}'
    city.client.publish(topics.policy_topic(SCHOOL), bad, 1, True)
    city.wait(lambda: any("report_s" in health.policy_error for health in _healths(city)))
    assert runner._report_s == 77
    policy(city, report_s=5)
    city.wait(lambda: _healths(city)[-1].policy_error == "")


def _healths(city: Any) -> list[AgentHealth]:
    messages = [decode_message(payloads[0]) for payloads in city.heard.values()]
    reports = [message for message in messages if isinstance(message, Report)]
    return [one for report in reports for one in report.readings if isinstance(one, AgentHealth)]


def test_a_line_test_is_evidence_with_the_health_beside_it(city: Any, run: Any) -> None:
    asked: list[LinePolicy] = []

    def measure(planned: PlannedTest, left_s: float | None) -> LineTest:
        line = planned.line
        asked.append(line)
        return LineTest(test="t1", line=line.line, outcome="ok", down_mbps=9.7)

    policy(city, lines=(LinePolicy(line="甲", server="http://c:1"),))
    run(measure=measure, line=Line(at_start=True))
    report = heard(city, 3)
    assert [type(one) for one in report.readings] == [LineTest, AgentHealth]
    assert [line.line for line in asked] == ["甲"]


def test_the_status_says_where_it_stands(
    city: Any, run: Any, tmp_path: Path, until: Callable[..., None]
) -> None:
    policy(city, lines=(LinePolicy(line="甲", server="http://c:1"),), rooms={MACHINE: "101"})
    run()

    def settled() -> bool:
        found = status.read(tmp_path / "data")
        return bool(found and found.last_receipt and found.next_test and found.room)

    until(settled)
    found = status.read(tmp_path / "data")
    assert found is not None
    assert (found.machine, found.room, found.line, found.link) == (MACHINE, "101", "甲", "ready")
    assert found.offset_ms is not None
    assert abs(found.offset_ms) < 600_000  # and not the decades of a wrong unit


def test_a_policy_that_leaves_out_our_source_ends_the_run(
    city: Any, run: Any, until: Callable[..., None]
) -> None:
    policy(city, exclude_sources=("product_uuid",))
    runner = run()
    until(lambda: runner.exclude == ("product_uuid",))


@pytest.fixture
def process(tmp_path: Path, city: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `schoolpulse-agent run` as a process."""
    (tmp_path / "agent.toml").write_text(
        f'school = "{SCHOOL}"\ndata = "{tmp_path}/data"\n[broker]\nport = {city.port}\n'
    )
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "agent.cli", "run", "--config", str(tmp_path / "agent.toml")]
        started.append(subprocess.Popen(argv, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


def ask(tmp_path: Path, command: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "agent.cli", command, "--config", str(tmp_path / "agent.toml")]
    return subprocess.run([*argv, "--json"], capture_output=True, text=True, timeout=120)


def test_sigterm_says_offline_and_ends_with_0(city: Any, process: Any, tmp_path: Path) -> None:
    running = process()
    heard(city, 2)
    status = json.loads(ask(tmp_path, "status").stdout)
    assert status["running"]
    running.send_signal(signal.SIGTERM)
    assert running.wait(120) == 0
    city.wait(lambda: [one.online for one in city.presence] == [True, False])
    again = ask(tmp_path, "status")
    assert again.returncode == 1
    assert json.loads(again.stdout)["running"] is False


def test_a_second_agent_is_refused(city: Any, process: Any) -> None:
    process()
    heard(city, 2)
    second = process()
    assert second.wait(120) == 2


def test_kill_9_loses_nothing(
    city: Any, process: Any, tmp_path: Path, until: Callable[..., None]
) -> None:
    """Killed with reports waiting: the next start sends them, as uncertain or as they were."""
    city.answer = lambda topic, message: None
    running = process()
    city.wait(lambda: any(key[2] == 1 for key in city.heard))
    until(lambda: json.loads(ask(tmp_path, "outbox").stdout)["unsent"] == 1)
    running.kill()
    running.wait()
    assert json.loads(ask(tmp_path, "outbox").stdout)["waiting"] == 1
    city.answer = city.stored
    process()
    city.wait(lambda: len({key[1] for key in city.heard if key[2] == 2}) == 2)
    reports = {key: decode_message(city.heard[key][0]) for key in city.heard if key[2] == 2}
    assert sorted(report.uncertain for report in reports.values()) == [False, True]


@pytest.mark.parametrize(
    ("metered", "allowed", "tested"),
    [(True, False, False), (True, True, True), (False, False, True), (None, False, True)],
)
def test_scheduled_tests_leave_metered_links_alone(
    city: Any, run: Any, monkeypatch: pytest.MonkeyPatch, metered: bool, allowed: bool, tested: bool
) -> None:
    asked: list[str] = []

    def measure(server: str, **wish: object) -> LineTest:
        asked.append(server)
        return LineTest(test="t", line="甲", outcome="ok")

    monkeypatch.setattr("agent.probes.line.probe.measure", measure)
    runner = run(line=Line(metered=metered))
    line = LinePolicy(line="甲", server="http://127.0.0.1:1", metered=allowed)
    now = dt.datetime.now(dt.UTC)
    window = Window("q0", now.date(), now, ((now, now + dt.timedelta(hours=1)),))
    answer = runner._measure(PlannedTest(now, line, window), 3600.0)
    assert isinstance(answer, LineTest) is tested
    assert bool(asked) is tested
    assert isinstance(runner._measure(PlannedTest(now, line), None), LineTest)  # by hand: always

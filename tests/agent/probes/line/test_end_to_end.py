"""The line probe against the real measurement server, over loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil

from agent.probes.line import child as line_child
from agent.probes.line import download
from agent.probes.line import probe as line
from agent.probes.line.probe import measure
from agent.probes.line.turn import Server
from agent.wire import LineTest
from agent.wire.postponed import Postponed


def test_a_test_over_loopback_gives_rates_and_the_server_agrees(line_server, who):
    url, records = line_server
    test = measure(url, **who, max_seconds=60)
    assert test.outcome == "ok", test.reason
    assert test.interface == "lo"
    assert test.wired is False
    assert "loopback" in test.reason
    assert test.solo is True
    # How fast loopback is depends on the machine, but not that the parts fit each other.
    assert test.down_mbps * 1e6 / 8 * test.seconds > 0.5 * test.payload_down
    assert test.up_mbps * 1e6 / 8 * test.seconds > 0.5 * test.payload_up
    assert test.down_low <= test.down_mbps <= test.down_high
    assert test.latency_ms > 0
    (record,) = records
    assert record.outcome == "ok"
    assert (record.test, record.school, record.line) == (test.test, who["school"], who["line"])
    assert record.machine == who["machine"]
    assert test.payload_down <= record.sent_bytes
    assert test.down_mbps <= 1.081 * record.down_mbps
    msgspec.json.decode(msgspec.json.encode(test), type=LineTest)  # within the wire's ranges


def test_a_line_of_a_chinese_name_on_a_pc_of_any_code_page(line_server, who, monkeypatch):
    """Windows gives pipes the PC's code page; the child's input is UTF-8 all the same."""
    url, records = line_server
    monkeypatch.setenv("PYTHONIOENCODING", "gbk")
    test = measure(url, **{**who, "line": "主线"}, max_seconds=60)
    assert test.outcome == "ok", test.reason
    assert [record.line for record in records] == ["主线"]


def test_two_tests_of_one_line_never_overlap(line_server, who):
    url, records = line_server
    results: list[LineTest | Postponed] = []

    def run(machine: str) -> None:
        results.append(measure(url, **{**who, "machine": machine}, max_seconds=60))

    threads = [threading.Thread(target=run, args=(c * 32,)) for c in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy = [test for test in results if isinstance(test, Postponed)]
    outcomes = [test.outcome for test in results if isinstance(test, LineTest)]
    assert outcomes.count("ok") >= 1
    assert set(outcomes) == {"ok"}
    assert all(record.solo for record in records)
    assert len(records) == outcomes.count("ok")
    assert len(busy) + len(outcomes) == 6
    assert all(said.answer == "busy" and said.retry_s > 0 for said in busy)


def test_a_line_in_use_is_told_to_be(line_server, who):
    url, records = line_server
    first = Server(url, 60.0)
    first.ask({**who, "max_seconds": 120})
    said = measure(url, **{**who, "machine": "cd" * 16}, max_seconds=60)
    first.close()
    assert isinstance(said, Postponed)
    assert said.answer == "busy"
    assert said.retry_s > 0
    assert records == []


def test_tests_of_two_lines_run_beside_each_other(line_server, who):
    url, records = line_server
    first = line_child.Child(_task(url, {**who, "line": "a"}))
    try:
        _await(first, "granted")
        second = measure(url, **{**who, "line": "b"}, max_seconds=60)
    finally:
        first.kill()
    assert second.outcome == "ok", second.reason
    assert [record.line for record in records] == ["b"]


def test_a_load_process_that_runs_is_seen_by_the_guard(line_server, who, load_processes):
    child = line_child.Child(_task(line_server[0], who))
    try:
        _await(child, "granted")  # so the command line is the child's own, not that of a fork
        assert load_processes() == [child.pid]
    finally:
        child.kill()


def test_the_frozen_program_knows_the_load_process():
    entry = Path(__file__).parents[4] / "deploy/windows/entry.py"
    known = re.search(r"_MODULES = \((.*)\)", entry.read_text("utf-8"))
    assert known
    assert f'"{line_child.MODULE}"' in known[1].split(", ")


def test_progress_tells_every_phase(line_server, who):
    phases = []
    measure(
        line_server[0], **who, max_seconds=60,
        progress=lambda *, phase, share, mbps: phases.append((phase, share, mbps)),
    )  # fmt: skip
    assert {"ask", "download", "upload"} <= {phase for phase, _, _ in phases}
    assert all(0 <= share <= 1 for _, share, _ in phases)
    assert any(mbps for _, _, mbps in phases)


def test_the_byte_limit_is_kept(line_server, who):
    url, records = line_server
    limit = 20_000_000
    test = measure(url, **who, max_seconds=60, max_bytes=limit)
    assert test.payload_down + test.payload_up <= limit
    assert records[0].sent_bytes + records[0].received_bytes <= limit * 1.5  # what was on its way


def test_system_proxies_are_ignored(line_server, who, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert measure(line_server[0], **who, max_seconds=60).outcome == "ok"


def test_a_child_that_is_killed_is_an_aborted_test(line_server, who, monkeypatch):
    url, _ = line_server
    real = line_child.Child._read

    def killing(self: line_child.Child) -> None:
        os.kill(self.pid, signal.SIGKILL)
        real(self)

    monkeypatch.setattr(line_child.Child, "_read", killing)
    test = measure(url, **who, max_seconds=60)
    assert test.outcome == "aborted"
    assert test.down_mbps is None


def test_a_child_whose_parent_dies_ends_at_once(line_server, who):
    """kill -9 of the agent during a test: the load must not go on by itself."""
    script = (
        "import sys, msgspec\n"
        "from agent.probes.line import child as line_child\n"
        "child = line_child.Child(msgspec.json.decode(sys.argv[1]))\n"
        "print(child.pid, flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    task = msgspec.json.encode(_task(line_server[0], who)).decode()
    parent = subprocess.Popen(
        [sys.executable, "-c", script, task], stdout=subprocess.PIPE, text=True
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _gone, alive = psutil.wait_procs([child], timeout=60)
    assert not alive


def test_no_counter_is_an_outcome_of_its_own(line_server, who, monkeypatch):
    monkeypatch.setattr(line.nics, "received", lambda name: 1234)
    monkeypatch.setattr(download, "_STILL_S", 0.0)  # loopback is done before it was looked at long
    test = measure(line_server[0], **who, max_seconds=60)
    assert test.outcome == "no_counter"
    assert test.down_mbps is None
    monkeypatch.setattr(line.nics, "owner", lambda address: "")
    assert measure(line_server[0], **who, max_seconds=60).outcome == "no_counter"


_MEMORY = """
import json, sys, threading
import psutil
import agent.resident.runner  # what a resident agent holds
from agent.probes.line.probe import measure
from agent.probes.line.turn import Server
me, over, peak = psutil.Process(), threading.Event(), [{}]

def parts():
    found = {"agent": me.memory_info().rss}
    known = [[], me.cmdline()]
    for child in me.children(recursive=True):
        try:
            words = child.cmdline()
            if words not in known:  # before its exec it has its parent's memory, once more
                known.append(words)
                found[" ".join(words[-2:])] = child.memory_info().rss
        except psutil.NoSuchProcess:
            pass
    return found

def held():
    return sum(parts().values())

def watch():
    while not over.wait(0.02):
        peak[0] = max(peak[0], parts(), key=lambda each: sum(each.values()))

before = held()
threading.Thread(target=watch, daemon=True).start()
after = []
for _ in range(3):
    outcome = measure(sys.argv[1], **json.loads(sys.argv[2]), max_seconds=60).outcome
    after.append(held())
over.set()
print(json.dumps({"outcome": outcome, "before": before, "peak": peak[0], "after": after}))
"""


def test_a_test_costs_little_memory_and_none_after_it(line_server, who):
    """RSS of agent and child together, over three tests."""
    argv = [sys.executable, "-c", _MEMORY, line_server[0], json.dumps(who)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=240)
    found = json.loads(done.stdout)
    print(found)
    assert found["outcome"] == "ok"
    assert sum(found["peak"].values()) - found["before"] <= 45e6, found
    assert found["after"][-1] - found["before"] <= 3e6, found  # its modules, once
    assert found["after"][-1] - found["after"][0] <= 0.5e6, found


def test_a_slow_server_never_holds_a_test_beyond_its_time(odd_server, replies, who):
    """It would hold it for eighteen days; how long is allowed is counted in test_line_limit.py."""
    over = threading.Event()

    def drip(request: Any) -> None:
        if "random" not in request.path:
            _mini(request, replies)
            return
        request.send_response(200)
        request.send_header("Content-Length", "32000000")
        request.end_headers()
        while not over.wait(0.05):
            request.wfile.write(b"x")

    test = measure(odd_server(drip), **who, max_seconds=2.0)
    over.set()
    assert test.outcome in ("too_slow", "unreachable")
    assert test.down_mbps is None


def _mini(request: Any, replies: Any) -> None:
    if "latency" in request.path:
        replies(request, 200, b"test=test\n")
    elif "upload.php" in request.path:
        replies(request, 200, b"size=500")
    else:
        replies(request, 200, b'upload_extension: "php"')


def _task(url: str, wish: dict[str, str]) -> dict[str, Any]:
    limits = {"download": 1 << 30, "upload": 1 << 30}
    return {"server": url, "wish": {"max_seconds": 15.0, **wish}, "timeout": 5, "max_bytes": limits}


def _await(child: line_child.Child, event: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(heard["event"] == event for heard in child.events(0.1)):
            return
    raise AssertionError(f"no {event}")

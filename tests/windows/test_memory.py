"""What the frozen agent costs under Wine, printed: private bytes at rest and in a line test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import wine
from agent.probes.line import child as line_child
from wine import Wine

REPORTS = 6
#: The agent's processes: pid, private bytes, working set, command line. Private bytes are the
#: commit charge: Windows has the number twice, as PagefileUsage and PrivateUsage, and Wine's
#: PrivateUsage is nonsense.
_ASK = """
import json, psutil
rows = []
for pid in psutil.pids():
    try:
        one = psutil.Process(pid)
        words, used = one.cmdline(), one.memory_info()
    except (psutil.Error, OSError):
        continue
    if words and words[0].lower().endswith("schoolpulse-agent.exe"):
        rows.append([pid, used.pagefile, used.rss, " ".join(words[1:])])
print(json.dumps(rows))
"""


@pytest.fixture
def resident(windows: Wine, city: Any, tree: None) -> Iterator[None]:
    """The agent, once it has stored some reports: its probes have run, its link is up."""
    settings = city.put_settings(windows, "rest")
    before = city.agents()
    agent = windows.start(wine.FROZEN, "run", "--config", settings)
    try:
        wine.until(lambda: city.agents() >= before + REPORTS, 120, "reports")
        yield
    finally:
        windows.kill("schoolpulse-agent.exe")
        agent.wait(30)


def test_at_rest_and_in_a_line_test(
    windows: Wine, city: Any, resident: None, capsys: pytest.CaptureFixture[str]
) -> None:
    [(pid, private, working, _)] = asked(windows)
    server = (city.folder / "collector.toml").read_text().split('server = "')[1].split('"')[0]
    settings = city.put_settings(windows, "line2")
    most, over = {"private": 0, "working": 0}, threading.Event()

    def watch() -> None:
        while not over.is_set():
            load = [row for row in asked(windows) if line_child.MODULE in row[3]]
            for _, used, held, _ in load:
                most.update(private=max(most["private"], used), working=max(most["working"], held))

    watcher = threading.Thread(target=watch)
    watcher.start()
    done = windows.run(wine.FROZEN, "line", "--server", server, "--json", "--config", settings)
    over.set()
    watcher.join()
    found = json.loads(done.stdout)
    with capsys.disabled():
        print(
            f"\nagent at rest under Wine: private {private / 1e6:.1f} MB, working set "
            f"{working / 1e6:.1f} MB; load process of a line test ({found['outcome']}): private "
            f"{most['private'] / 1e6:.1f} MB, working set {most['working'] / 1e6:.1f} MB"
        )
    assert 1e6 < private < 60e6, pid


def asked(windows: Wine) -> list[tuple[int, int, int, str]]:
    return [tuple(row) for row in json.loads(windows.python(_ASK))]

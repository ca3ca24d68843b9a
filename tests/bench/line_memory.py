"""The memory of a line test at full speed, as `make bench-line-memory` prints.

The agent's own command, from an install of its own, over a line of 1000 Mbit/s between namespaces:
its process, and the load process that lives as long as the test. Peak is what both ever held
(VmHWM), libraries that other programs share with them included; own is their anonymous part.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

import base_install
import shaped
from agent.probes.line import child as line_child
from shaped import PC

_SETTINGS = 'school = "9963010001"\ndata = "{folder}/agent"\n[broker]\nhost = "127.0.0.1"\n'
_LOOK_S = 0.02
_NAMES = {"VmHWM": "peak", "RssAnon": "anonymous"}


def main() -> int:
    """Measure and print; 2 where this machine cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    table = Table(title=f"Memory of a test at {args.rate:g} Mbit/s, MB")
    for title in ("down", "up", "agent: peak", "own", "load: peak", "own", "both peaks"):
        table.add_column(title, justify="right")
    try:
        with tempfile.TemporaryDirectory() as name, shaped.lab() as lab:
            agent = _agent(Path(name))
            lab.shape(args.rate)
            with lab.measurement_server() as url:
                for _ in range(args.runs):
                    table.add_row(*_row(lab.inside(PC, *agent, "--server", url)))
    except shaped.NoLabError as error:
        print(error)
        return 2
    Console(width=120).print(table)
    return 0


def _agent(folder: Path) -> list[str]:
    """The command of a test, as on a school's PC."""
    settings = folder / "agent.toml"
    settings.write_text(_SETTINGS.format(folder=folder))
    command = str(base_install.make(folder) / "schoolpulse-agent")
    return [command, "line", "--json", "--config", str(settings)]


def _row(argv: list[str]) -> list[str]:
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    most: dict[tuple[bool, str], int] = defaultdict(int)
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, most, over))
    watch.start()
    said, _ = process.communicate(timeout=120)
    over.set()
    watch.join()
    test = json.loads(said)
    rates = [f"{test[way]:.1f}" for way in ("down_mbps", "up_mbps")]
    used = [most[load, what] / 1e6 for load in (False, True) for what in ("peak", "anonymous")]
    return [*rates, *(f"{mb:.1f}" for mb in used), f"{used[0] + used[2]:.1f}"]


def _watch(pid: int, most: dict[tuple[bool, str], int], over: threading.Event) -> None:
    """Read both processes' memory while the test runs; `ip netns exec` becomes the agent itself."""
    while not over.wait(_LOOK_S):
        for one in [pid, *_children(pid)]:
            try:
                folder = Path(f"/proc/{one}")
                load = line_child.MODULE in (folder / "cmdline").read_text()
                lines = (folder / "status").read_text().splitlines()
            except OSError:  # it has ended
                continue
            for line in lines:
                name, _, value = line.partition(":")
                if name in _NAMES:
                    key = load, _NAMES[name]
                    most[key] = max(most[key], int(value.split()[0]) * 1024)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())

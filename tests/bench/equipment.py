"""What the equipment probes cost on Linux: memory at rest, processor time in an hour.

A resident agent looks every 30 s and reports every 5 minutes. Here two processes do just that,
without the waiting: one that looks for the host alone, one with all equipment probes on a PC of
many devices (constructed), each in an interpreter of its own. What differs is what the probes
cost. Printed as the median of several rounds; 1 where a limit is passed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

import linux_trees
from agent.probes import PROBES

RSS_MB, CPU_MS = 3.0, 100.0
LOOKS, REPORTS = 120, 12  # an hour's
_EQUIPMENT = ",".join(name for name, probe in PROBES.items() if probe.devices)

_ROUND = """
import json, resource, sys, time
from pathlib import Path
from agent.resident import gather
from agent.probes import Context
names = tuple(filter(None, sys.argv[2].split(",")))
gatherer = gather.Gatherer(("host", *names))
gatherer._context = Context(Path(sys.argv[1]))
gatherer.all()
gatherer.changed()
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before = cpu()
for number in range(int(sys.argv[3])):
    for _ in range(10):
        gatherer.changed()
    gatherer.all()
spent = cpu() - before
rss = next(line for line in open("/proc/self/smaps_rollup") if line.startswith("Rss"))
print(json.dumps([spent, int(rss.split()[1]) / 1000]))
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        devices = _tree(root)
        pairs = [
            (_round(root, ""), _round(root, _EQUIPMENT))
            for _ in track(range(rounds), description="an hour of looks, without the waiting")
        ]
    cpu = statistics.median(1000 * (all_[0] - host[0]) for host, all_ in pairs)
    rss = statistics.median(all_[1] - host[1] for host, all_ in pairs)
    _print(pairs, cpu, rss, devices)
    return int(cpu > CPU_MS or rss > RSS_MB)


def _tree(root: Path) -> int:
    """Everything that a classroom's PC can have, on one PC; how many devices that is."""
    from agent import probes

    tree = linux_trees.LinuxTree(root)
    linux_trees.panel(tree)
    tree.display("DP-3", linux_trees.edids.named("27B1H", "AOC", (60, 34)))
    for connector in ("DP-1", "DP-2", "HDMI-A-2", "VGA-1"):
        tree.display(connector, status="disconnected")
    tree.usb("1-6", "03f0:132a", "07", maker="Hewlett-Packard", name="HP LaserJet 1020")
    tree.usb("1-7", "1778:0214", "0e", "0e", maker="IPEVO Inc.", name="IPEVO V4K")
    for place in ("1-8", "1-9", "1-10"):
        tree.usb(place, "046d:c31c", "03", "03", maker="Logitech", name="USB Keyboard")
    return len(probes.run(_EQUIPMENT.split(","), probes.Context(root)).readings)


def _round(root: Path, names: str) -> tuple[float, float]:
    """CPU seconds of an hour's looks, and RSS in MB, of a process with these probes."""
    hours = str(REPORTS)
    call = [sys.executable, "-c", _ROUND, str(root), names, hours]
    spent, rss = json.loads(subprocess.run(call, capture_output=True, check=True).stdout)
    return spent, rss


def _print(
    pairs: list[tuple[tuple[float, float], tuple[float, float]]], cpu: float, rss: float, count: int
) -> None:
    table = Table(title=f"The equipment probes, {count} devices, {LOOKS} looks an hour")
    for heading in ("", "host alone", "with equipment", "the probes' share", "limit"):
        table.add_column(heading, justify="right" if heading else "left")

    def cells(place: int, factor: int) -> list[str]:
        columns = ([each[place] for each in one] for one in zip(*pairs, strict=True))
        return [f"{factor * statistics.median(column):.1f}" for column in columns]

    table.add_row("RSS at rest, MB", *cells(1, 1), f"{rss:.2f}", f"{RSS_MB:g}")
    table.add_row("CPU an hour, ms", *cells(0, 1000), f"{cpu:.1f}", f"{CPU_MS:g}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())

"""Lines of known rate, measured by us, by speedtest-cli and by iperf3, as `make bench-line` prints.

Three network namespaces (PC - router - server), shaped on the router. Every run is kept: in
var/bench-line.jsonl as it ends, and in the table whatever it gave. Needs root, iproute2, iperf3.
Long: take it in slices (--rates 10,20) and print them all with --table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import shaped
from shaped import PC, SERVER, SERVER_ADDRESS, Lab

RATES = (2.0, 4.0, 8.0, 10.0, 12.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
TOOLS = ("schoolpulse", "speedtest-cli", "iperf3")
THRESHOLD = 9.7
KEPT = Path("var/bench-line.jsonl")
IPERF_PORT = "5201"
IPERF_S = 5
#: speedtest-cli as it is, told of our server: its own settings are speedtest.net's usual ones.
_SPEEDTEST = """
import json, sys, time
import speedtest
from agent.probes.line.turn import Server
server = Server(sys.argv[1], 10)
wish = {"school": "9963010001", "machine": "ab" * 16, "line": "a", "max_seconds": 60}
granted = server.ask(wish)

class Told(speedtest.Speedtest):
    def get_config(self):
        sizes = [350, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000]
        self.config.update(
            client={"ip": "", "lat": "0", "lon": "0"}, ignore_servers=[],
            sizes={"download": sizes, "upload": [1048576, 7340032]},
            counts={"download": 4, "upload": 25}, threads={"download": 8, "upload": 2},
            length={"download": 10, "upload": 10}, upload_max=50)
        self.lat_lon = (0.0, 0.0)
        return self.config

test = Told()
test.get_best_server(test.set_mini_server(sys.argv[1] + granted["path"]))
for direction in ("down", "up"):
    started = time.perf_counter()
    rate = test.download() if direction == "down" else test.upload(pre_allocate=False)
    count = test.results.bytes_received if direction == "down" else test.results.bytes_sent
    took = round(time.perf_counter() - started, 2)
    print(json.dumps({"way": direction, "mbps": rate / 1e6, "bytes": count, "seconds": took}))
Server(sys.argv[1], 10).done(granted["id"], True)  # the first connection has been idle
"""


def main() -> int:
    """Run what the command line asks for; 2 where this machine cannot."""
    args = _arguments()
    if not args.table:
        needed = ["ip", "tc", *(["iperf3"] if "iperf3" in args.tools.split(",") else [])]
        missing = [tool for tool in needed if shutil.which(tool) is None]
        if missing:
            print(f"bench-line needs {', '.join(missing)}: apt install iproute2 iperf3")
            return 2
        try:
            _run(args)
        except shaped.NoLabError as error:
            print(error)
            return 2
    _print(_kept())
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default=",".join(f"{rate:g}" for rate in RATES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--queue", type=int, default=0, help="bytes; default: 100 ms of the rate")
    parser.add_argument("--congestion", default="cubic", help="cubic or bbr")
    parser.add_argument("--table", action="store_true", help="only print what was kept")
    return parser.parse_args()


def _run(args: argparse.Namespace) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    tools = args.tools.split(",")
    with shaped.lab() as lab, lab.measurement_server() as url:
        lab.congestion(args.congestion)
        for rate in map(float, args.rates.split(",")):
            lab.shape(rate, args.queue or None)
            case = {"rate": rate, "queue": args.queue, "congestion": args.congestion}
            for run in range(1, args.runs + 1):
                for tool in tools:
                    for row in _measure(lab, url, tool):
                        _keep({**case, "run": run, "tool": tool, **row})


def _measure(lab: Lab, url: str, tool: str) -> Iterator[dict[str, Any]]:
    """One run of one tool, a row each way; what fails is a row without a rate."""
    try:
        if tool == "schoolpulse":
            yield from _ours(shaped.measured(lab, url))
        elif tool == "speedtest-cli":
            for line in lab.output(PC, _SPEEDTEST, url).splitlines():
                yield json.loads(line)
        else:
            yield from _iperf(lab)
    except (RuntimeError, subprocess.SubprocessError, KeyError, ValueError) as error:
        for way in ("down", "up"):
            yield {"way": way, "mbps": None, "bytes": None, "seconds": None, "why": str(error)}


def _ours(test: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for way in ("down", "up"):
        yield {
            "way": way, "mbps": test.get(f"{way}_mbps"), "bytes": test.get(f"payload_{way}"),
            "seconds": test["seconds"], "pc_limited": test.get("pc_limited"),
            "why": f"{test['outcome']} {test.get('reason', '')}",
        }  # fmt: skip


def _iperf(lab: Lab) -> Iterator[dict[str, Any]]:
    with lab.running(SERVER, "iperf3", "-s", "-p", IPERF_PORT):
        _await_port(lab)
        for way, more in (("down", ["-R"]), ("up", [])):
            words = ["iperf3", "-c", SERVER_ADDRESS, "-p", IPERF_PORT, "-J", "-t", str(IPERF_S)]
            done = subprocess.run(
                lab.inside(PC, *words, *more), capture_output=True, text=True, timeout=60
            )
            end = json.loads(done.stdout)["end"]["sum_received"]
            rate, seconds = end["bits_per_second"] / 1e6, round(end["seconds"], 2)
            yield {"way": way, "mbps": rate, "bytes": end["bytes"], "seconds": seconds}


def _await_port(lab: Lab) -> None:
    code = (
        "import socket, sys, time\n"
        "for _ in range(200):\n"
        "    try: sys.exit(socket.create_connection((sys.argv[1], int(sys.argv[2]))).close())\n"
        "    except OSError: time.sleep(0.05)\n"
        "sys.exit('nobody listens')"
    )
    lab.output(SERVER, code, SERVER_ADDRESS, IPERF_PORT)


def _keep(row: dict[str, Any]) -> None:
    with KEPT.open("a") as out:
        out.write(json.dumps(row) + "\n")
    rate = "—" if row["mbps"] is None else f"{row['mbps']:.3f}"
    print(f"{row['rate']:g} {row['congestion']} {row['tool']} {row['way']} {rate}", flush=True)


def _kept() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = _table(rows)
    with KEPT.with_suffix(".txt").open("w") as out:
        for console in (Console(width=160), Console(file=out, width=160)):
            console.print(table)
            for line in _reached(rows):
                console.print(line, highlight=False)


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="median error (worst single run), all runs")
    for title in ("Mbit/s", "queue", "congestion", "way", "tool", "runs", "median", "error",
                  "worst", "MB", "s", "pc limits"):  # fmt: skip
        table.add_column(title, justify="right")
    cases: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        tool = TOOLS.index(row["tool"])
        cases[row["rate"], row["queue"], row["congestion"], row["way"], tool].append(row)
    for (rate, queue, congestion, way, tool), runs in sorted(cases.items()):
        head = (f"{rate:g}", f"{queue // 1000} kB" if queue else "100 ms", congestion, way)
        table.add_row(*head, TOOLS[tool], *_figures(rate, runs))
    return table


def _reached(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """How often each rate near the threshold of 10 reached its limit of 9.7."""
    for rate in (9.5, 10.0):
        ours = [row["mbps"] or 0.0 for row in rows if row["rate"] == rate
                and row["way"] == "down" and row["tool"] == "schoolpulse"]  # fmt: skip
        if ours:
            reached = sum(mbps >= THRESHOLD for mbps in ours)
            yield f"{rate:g} Mbit/s reaches {THRESHOLD}: {reached} of {len(ours)} runs"


def _figures(rate: float, runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    found = [run for run in runs if run["mbps"] is not None]
    failed = len(runs) - len(found)
    yield f"{len(runs)}" + (f" ({failed} failed)" if failed else "")
    if not found:
        yield from ("—",) * 6
        return
    errors = [run["mbps"] / rate - 1 for run in found]
    yield f"{statistics.median(run['mbps'] for run in found):.3f}"
    yield f"{statistics.median(map(abs, errors)):.2%}"
    yield f"{max(errors, key=abs):+.2%}"
    yield f"{statistics.median(run['bytes'] for run in found) / 1e6:.2f}"
    yield f"{statistics.median(run['seconds'] for run in found):.1f}"
    yield str(sum(run.get("pc_limited") is True for run in found) or "")


if __name__ == "__main__":
    sys.exit(main())

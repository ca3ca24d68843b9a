"""The pages of a city of 600 schools and 20,000 PCs: how long readers wait, and what it costs.

    python tests/bench/web.py [--config collector.toml] [--schools 600] [--readers 20]
                              [--seconds 60] [--pause 2]

Without a configuration it makes the city in a SQLite store first (minutes). Each reader opens a
page, pauses (`--pause` s on average, 0: none), and opens the next; schools are opened at random,
so that most of their pages are in no cache. Prints a row for each page: requests, median, 95th
percentile, most, bytes as sent and as read; then what the process took. Ends with 1 where a 95th
percentile is over 300 ms or a page over 300 kB.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import gzip
import http.client
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

import services
from agent.common.calendar import CITY_TIME
from collector import config as settings
from collector.roster.book import RegisterBook

_LIMIT_MS, _LIMIT_BYTES = 300, 300_000
_PAGES = ("/", "/districts", "/schools", "/faults", "/reports", "school", "school", "school")


class Reader(threading.Thread):
    """Somebody who clicks through the pages."""

    def __init__(self, port: int, codes: list[str], seed: int, until: float, pause: float) -> None:
        super().__init__(daemon=True)
        self._port, self._codes, self._until, self._pause = port, codes, until, pause
        self._random = random.Random(seed)
        self.waited: dict[str, list[float]] = defaultdict(list)
        self.sizes: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        """Read until the time is over."""
        while time.monotonic() < self._until:
            self._read(self._random.choice(_PAGES))
            time.sleep(self._random.uniform(0.5, 1.5) * self._pause)

    def _read(self, page: str) -> None:
        path = f"/schools/{self._random.choice(self._codes)}" if page == "school" else page
        begun = time.perf_counter()
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(link):
            link.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = link.getresponse()
            body = answer.read()
        self.waited[page].append(time.perf_counter() - begun)
        assert answer.status == 200, (path, answer.status)
        whole = gzip.decompress(body) if answer.getheader("Content-Encoding") else body
        self.sizes[page] = max(self.sizes.get(page, (0, 0)), (len(body), len(whole)))


@contextlib.contextmanager
def pages(file: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The server as it is run in a city."""
    port = services.free_port()
    argv = [
        sys.executable,
        "-m",
        "collector.cli",
        "web",
        "--config",
        str(file),
        "--port",
        str(port),
    ]
    with subprocess.Popen(argv) as process:
        try:
            services.wait_port(port)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def _made(folder: Path, schools: int) -> Path:
    sys.path.insert(0, str(Path(__file__).parent / "boards_month"))
    import city_month

    file = folder / "collector.toml"
    file.write_text(f'data = "{folder}/city"\n', encoding="utf-8")
    now = dt.datetime.now(CITY_TIME)
    config, _ = settings.load(str(file))
    city_month.load(config, city_month.made(schools, now.date()), now)
    return file


def measure(file: Path, readers: int, seconds: float, pause: float) -> bool:
    """Print the table; whether all is within its limits."""
    config, _ = settings.load(str(file))
    codes = sorted(RegisterBook(config.folder / "register.db").load().schools)
    with pages(file) as (port, process):
        first = Reader(port, codes, 0, 0, 0)
        for page in dict.fromkeys(_PAGES):
            first._read(page)
            print(f"first {page}: {first.waited[page][0] * 1000:.0f} ms", file=sys.stderr)
        until, before = time.monotonic() + seconds, process.cpu_times()
        crowd = [Reader(port, codes, n + 1, until, pause) for n in range(readers)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        spent, rss = process.cpu_times(), process.memory_info().rss
    count = sum(len(waits) for one in crowd for waits in one.waited.values())
    cpu = spent.user + spent.system - before.user - before.system
    print(f"{readers} readers for {seconds:g} s, pausing {pause:g} s: {count} pages")
    print(f"processor {cpu:.1f} s, {cpu / count * 1000:.0f} ms a page; memory "
          f"{rss / 2**20:.0f} MiB; load of the machine {psutil.getloadavg()[0]:.1f}")  # fmt: skip
    return _table(crowd)


def _table(crowd: list[Reader]) -> bool:
    good = True
    form = "{:<12}{:>6}{:>11}{:>9}{:>9}{:>9}{:>8}"
    print(form.format("page", "n", "median ms", "p95 ms", "most ms", "sent kB", "kB"))
    for page in dict.fromkeys(_PAGES):
        waits = sorted(wait * 1000 for one in crowd for wait in one.waited[page])
        sent, whole = max(one.sizes.get(page, (0, 0)) for one in crowd)
        p95 = waits[int(0.95 * (len(waits) - 1))]
        good &= p95 <= _LIMIT_MS and whole <= _LIMIT_BYTES
        times = [f"{wait:.0f}" for wait in (statistics.median(waits), p95, waits[-1])]
        print(form.format(page, len(waits), *times, f"{sent / 1000:.1f}", f"{whole / 1000:.1f}"))
    return good


def main() -> int:
    """Make the city where none is given, then measure."""
    parser = argparse.ArgumentParser(description=re.sub(r"\n.*", "", __doc__ or ""))
    parser.add_argument("--config", type=Path)
    parser.add_argument("--schools", type=int, default=600)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = args.config or _made(Path(folder), args.schools)
        return 0 if measure(file, args.readers, args.seconds, args.pause) else 1


if __name__ == "__main__":
    sys.exit(main())

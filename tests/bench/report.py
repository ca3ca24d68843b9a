"""What all formats of a city of 600 schools cost, and of 1,200: `make bench-report`."""

from __future__ import annotations

import argparse
import dataclasses
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from collector import report
from large_town import large_town
from small_town import Town

SCHOOLS, ALLOWED_S, ALLOWED_MB, ALLOWED_XLSX_MB = 600, 60.0, 500.0, 10.0


def figure(schools: int) -> Any:
    """Every third room shows no display, every fifth school is silent: there is much to say."""
    town = large_town(Town, schools)
    heard = [row for row in town.room_days if int(row.school[-4:]) % 5]
    town.room_days = [
        dataclasses.replace(row, seen=frozenset({"computer"})) if int(row.room) % 3 == 0 else row
        for row in heard
    ]
    return town.figure()


def render(kept: Path) -> bool:
    """In a process of its own, whose memory is that of the rendering; True where it is too much."""
    judged = pickle.loads(kept.read_bytes())
    before, total, made = _peak_mb(), 0.0, {}
    for name in report.FORMATS:
        started = time.process_time()
        made[name] = report.render(judged, name)
        took = time.process_time() - started
        total += took
        print(f"  {name:5} {took:5.1f} s of CPU {len(made[name]) / 1e6:6.2f} MB")
    peak, book = _peak_mb(), len(made["xlsx"]) / 1e6
    print(f"  all   {total:5.1f} s of CPU, peak {peak:.0f} MB (the figure alone {before:.0f})")
    return total > ALLOWED_S or peak > ALLOWED_MB or book > ALLOWED_XLSX_MB


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the costs; exit code 1 where they are too high at 600 schools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--render", type=Path)
    args = parser.parse_args()
    if args.render:
        raise SystemExit(render(args.render))
    failed = []
    for schools in (SCHOOLS, 2 * SCHOOLS):
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "figure"
            kept.write_bytes(pickle.dumps(figure(schools)))
            print(f"{schools} schools, {20 * schools} classes:", flush=True)
            done = subprocess.run([sys.executable, __file__, "--render", str(kept)], check=False)
            failed.append(done.returncode)
    raise SystemExit(failed[0])


if __name__ == "__main__":
    main()

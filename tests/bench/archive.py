"""What freezing and verifying a city of 600 schools costs: `make bench-archive`."""

from __future__ import annotations

import datetime as dt
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from collector.archive.checking import check
from collector.archive.freezing import freeze
from collector.archive.summary import frozen
from large_town import large_town
from small_town import Town

SCHOOLS, FREEZE_S, VERIFY_S, LARGEST_MB = 600, 60.0, 30.0, 200.0


def new_town() -> Any:
    """An empty town."""
    return Town()


def main() -> None:
    """Print seconds of CPU, MB and memory; exit code 1 where they are too many."""
    town = large_town(new_town, SCHOOLS)
    figure, evidence = town.figure(), town.evidence()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.process_time()
        done = freeze(figure, evidence, (), folder, now=dt.datetime(2027, 1, 4, tzinfo=dt.UTC))
        froze = time.process_time() - began
        began = time.process_time()
        faults = check(done.path, done.summary.root).faults
        verified = time.process_time() - began
        began = time.process_time()
        listed = len(frozen(folder))
        listing = time.process_time() - began
        size = done.path.stat().st_size / 1e6
        packed = _packed(done.path, folder / "packed") / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{SCHOOLS} schools, {len(town.classes)} classes, {len(evidence.room_days)} room days,")
    print(f"{len(evidence.line_tests)} line tests: freeze {froze:.1f} s of CPU ({FREEZE_S:g}),")
    print(f"verify {verified:.1f} s ({VERIFY_S:g}), list {listed} in {listing:.3f} s,")
    print(f"{size:.1f} MB ({LARGEST_MB:g}), zipped again {packed:.1f} MB, peak {peak:.0f} MB")
    sys.exit(bool(faults) or froze > FREEZE_S or verified > VERIFY_S or size > LARGEST_MB)


def _packed(path: Path, to: Path) -> int:
    """Bytes of the archive within a compressed zip, as one would send it."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as outer:
        outer.write(path, path.name)
    return to.stat().st_size


if __name__ == "__main__":
    main()

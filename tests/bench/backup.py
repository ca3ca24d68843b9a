"""What a backup and a restore cost, by rows in the SQLite store: time, memory, size.

make bench-backup
make bench-backup BACKUP="--rows 100000,2000000"
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from collector.config import Config
from collector.roster.book import RegisterBook
from collector.roster.register import School
from collector.roster.rows import Rows
from collector.store.base import Point
from collector.store.factory import open_store

_SCHOOL = School("9900000001", "示例小学", "630102", "小学", "630102")
_BATCH = 20_000


def _fill(config: Config, rows: int) -> None:
    RegisterBook(config.folder / "register.db").import_rows(Rows(schools=(_SCHOOL,)), who="bench")
    now = time.time_ns()
    with open_store(config) as store:
        for first in range(0, rows, _BATCH):
            store.write(
                [
                    Point(
                        "agent",
                        {"school": _SCHOOL.code, "machine": f"{number % 20_000:032x}"},
                        {"boot": "0" * 16, "number": number, "offset_ms": 2},
                        now + number,
                    )
                    for number in range(first, min(first + _BATCH, rows))
                ]
            )


def _run(folder: Path, *words: str) -> tuple[float, float]:
    """Seconds, and the most memory that it took, MB."""
    argv = [sys.executable, "-m", "collector.cli", *words]
    argv += ["--passphrase-file", str(folder / "passphrase")]
    begun = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{words[0]}: {status}")
    return time.monotonic() - begun, used.ru_maxrss / 1024


def _measure(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "passphrase").write_text("a-passphrase-of-the-bench")
        settings, file = folder / "collector.toml", folder / "saved.backup"
        settings.write_text(f'data = "{folder}/data"\n')
        _fill(Config(data=f"{folder}/data"), rows)
        there = str(folder / "to/collector.toml")
        back = ("restore", str(file), "--config", there, "--data", f"{folder}/to/data")
        for words in (("backup", str(file), "--config", str(settings)), back):
            seconds, memory = _run(folder, *words)
            size = file.stat().st_size / 2**20
            print(
                f"{words[0]:>8} {rows:>9,} rows {seconds:7.1f} s {memory:6.0f} MB"
                f"  file {size:6.1f} MB",
                flush=True,
            )


def main() -> None:
    """A line a size and command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="100000,2000000")
    for rows in parser.parse_args().rows.split(","):
        _measure(int(rows))


if __name__ == "__main__":
    main()

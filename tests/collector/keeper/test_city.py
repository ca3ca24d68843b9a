"""A small slice of the benchmarks of a city's keeper, its processes as they are."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]


def bench(name: str, *words: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(TESTS / "support")}
    argv = [sys.executable, str(TESTS / "bench" / name), *words, "--stores", "sqlite"]
    done = subprocess.run(
        argv, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_what_comes_in_the_afternoon_gives_the_rows_of_a_whole_day() -> None:
    bench(
        "keeper_city.py", "--schools", "2", "--pcs", "6", "--at", "8.5", "--minutes", "0.2",
        "--keeper-s", "1",
    )  # fmt: skip


@pytest.mark.slow
def test_a_day_that_a_keeper_for_each_core_derived_is_gone_on_with(tmp_path: Path) -> None:
    words = "--schools", "4", "--pcs", "6", "--at", "8.5", "--keep", f"{tmp_path}"
    bench("keeper_city.py", *words, "--derive")
    (data,) = tmp_path.glob("*/data")
    with closing(sqlite3.connect(data / "checkpoints.db")) as db:
        assert db.execute("SELECT count(*) FROM days").fetchone() == (4,)
    bench("keeper_city.py", *words, "--minutes", "0.2", "--keeper-s", "1")


@pytest.mark.slow
def test_killed_at_some_moments_the_rows_are_those_of_a_whole_day() -> None:
    bench("keeper_killed.py", "--schools", "1", "--kills", "3")

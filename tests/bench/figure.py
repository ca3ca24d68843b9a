"""How long a city of 600 schools takes to judge: `make bench-figure`."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

from collector.compliance.figure import judge
from collector.config import City, Figure
from large_town import large_town

SCHOOLS, ALLOWED_S = 600, 5.0
_TOWN = Path(__file__).parents[1] / "collector/compliance/conftest.py"


def new_town() -> Any:
    """An empty town, as the tests of the judging make it."""
    spec = importlib.util.spec_from_file_location("town", _TOWN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Town()


def main() -> None:
    """Print the seconds of CPU; exit code 1 where they are too many."""
    town = large_town(new_town, SCHOOLS)
    register, evidence = town.register(), town.evidence()
    started = time.process_time()
    judge(register, evidence, Figure(), City(), year=2026, today=town.cutoff)
    took = time.process_time() - started
    print(f"{SCHOOLS} schools, {len(town.classes)} classes: {took:.1f} s of CPU ({ALLOWED_S:g})")
    raise SystemExit(took > ALLOWED_S)


if __name__ == "__main__":
    main()

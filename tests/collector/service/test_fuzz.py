"""Twenty thousand hurt messages: no crash, an answer to each report, none receipted and lost."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))


def test_no_message_breaks_the_collector(tmp_path: Path) -> None:
    from fuzz import fuzz

    found = fuzz(20_000, seed=5, folder=tmp_path)
    assert min(found[name] for name in ("stored", "held", "quarantined", "ignored")) > 100, found
    assert found["refused by the store"] > 0

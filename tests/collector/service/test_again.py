"""What is asked for after a restore begins no later than the moment that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.service.again import Again, ask

SINCE, NOW = 1_793_577_600_000, 1_793_600_000_000


@pytest.mark.parametrize("millis", [0, 1, 900, 999])
def test_evidence_of_the_named_second_is_asked_for_too(tmp_path: Path, millis: int) -> None:
    ask(tmp_path, SINCE, NOW + millis)
    since = Again(tmp_path, now=lambda: NOW / 1000 + 1).since
    assert since is not None
    assert SINCE - 1000 <= since <= SINCE
    assert since % 1000 == millis, "each asking is another one"

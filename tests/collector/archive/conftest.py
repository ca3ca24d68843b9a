"""A frozen town."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.archive.freezing import Done
from freeze_town import put, town


@pytest.fixture
def frozen_town(tmp_path: Path) -> Done:
    """The town's first revision."""
    return put(town(), tmp_path / "archives")

"""A small town to judge, and what is read of it from a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.compliance import evidence
from collector.compliance.model import Evidence
from collector.config import Figure as Settings
from collector.store.sqlite import SqliteStore
from judged_town import fill, new_town, past_town
from judged_town import town as full_town
from small_town import Town

__all__ = ["fill", "full_town", "new_town", "past_town"]  # fixtures


@pytest.fixture
def town() -> Town:
    """An empty town with one school."""
    made = Town()
    made.school()
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.db") as opened:
        yield opened


def loaded(full_town: Any, store: Any) -> Evidence:
    """What the figure of the town reads of the store."""
    return evidence.load(store, full_town.register(), Settings(), full_town.cutoff)

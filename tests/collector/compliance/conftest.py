"""A small town to judge."""

from __future__ import annotations

import pytest

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

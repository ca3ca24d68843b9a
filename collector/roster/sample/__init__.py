"""The sample register: Xining's seven districts with invented schools, codes beginning 99."""

from __future__ import annotations

from pathlib import Path


def sample_folder() -> Path:
    """The folder of the sample's sheets."""
    return Path(__file__).parent

"""A city with its CA and a register of four schools; no broker runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import services
from enrolled_city import SCHOOLS, EnrolledCity


@pytest.fixture
def bare(tmp_path: Path) -> EnrolledCity:
    """Nothing is there yet."""
    return EnrolledCity(tmp_path / "city", services.free_port())


@pytest.fixture
def city(bare: EnrolledCity) -> EnrolledCity:
    """Set up for localhost, with a register."""
    assert bare.setup("--name", "localhost", "--alt", "127.0.0.1") == 0
    bare.roster(*SCHOOLS)
    return bare

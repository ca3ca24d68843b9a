"""Real services, and a collector that stores nothing."""

from __future__ import annotations

from types import ModuleType

import pytest

import services as shared_services
from fake_collector import collector, until

__all__ = ["collector", "until"]  # fixtures


@pytest.fixture(scope="session")
def services() -> ModuleType:
    """Real services for tests, from tests/support."""
    return shared_services

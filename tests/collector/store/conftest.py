"""What several tests of stores share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from canned_server import CannedServer


@pytest.fixture
def server() -> Iterator[CannedServer]:
    with CannedServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()

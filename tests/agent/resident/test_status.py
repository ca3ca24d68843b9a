"""The status file: who may read it, and one that an older version wrote."""

from __future__ import annotations

import os
from pathlib import Path

from agent.common.vocabulary.thresholds import THRESHOLD_MBPS
from agent.resident import status
from agent.resident.status import Status

NOW = Status(1, 2, "9900000001", "ab" * 16, "cd" * 8, 3)


def test_the_umask_of_the_service_decides_who_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        status.write(tmp_path, NOW)
    finally:
        os.umask(before)
    assert (tmp_path / status.FILE).stat().st_mode & 0o777 == 0o600
    assert status.read(tmp_path) == NOW


def test_one_of_an_older_version_is_read(tmp_path: Path) -> None:
    """As 0.1.0 wrote it, which knew no threshold."""
    (tmp_path / status.FILE).write_text(
        '{"pid":1,"written":2,"school":"9900000001","machine":"m","boot":"b","started":3,'
        '"link":"ready","mqtt":"5","exclude_sources":["macs"]}\n'
    )
    found = status.read(tmp_path)
    assert found is not None
    assert (found.link, found.exclude_sources) == ("ready", ("macs",))
    assert found.threshold_mbps == THRESHOLD_MBPS

"""One program a folder: a lock that a killed process cannot leave behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.common.command_line import RefusedError
from collector.service.lock import FileLock


def test_a_lock_refuses_another_process_and_dies_with_its_own(tmp_path: Path) -> None:
    hold = (
        "import sys, pathlib; from collector.service.lock import FileLock;"
        "lock = FileLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    path = tmp_path / "collect.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RefusedError, match=str(tmp_path)):
            FileLock(path)
    finally:
        holder.kill()
        holder.communicate()
    FileLock(path).release()
    FileLock(path).release()

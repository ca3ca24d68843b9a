"""Files that two processes of the city side open at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

CODE = """
import sys
from pathlib import Path
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import Quarantine
from collector.store.sqlite import SqliteStore
print("ready", flush=True)
sys.stdin.read(1)  # all begin together
folder = Path(sys.argv[1])
SqliteStore(folder / "store.db", 90).close()
PendingDays(folder / "days.db").close()
Quarantine(folder / "quarantine.db", 10**6).close()
"""


def test_new_files_are_opened_by_three_at_once(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", CODE]
    for each in range(8):
        folder = tmp_path / str(each)
        folder.mkdir()
        three = [
            subprocess.Popen([*argv, str(folder)], stdin=PIPE, stdout=PIPE, stderr=PIPE)
            for _ in range(3)
        ]
        for process in three:
            assert process.stdout is not None
            process.stdout.readline()
        for process in three:
            assert process.stdin is not None
            process.stdin.write(b"x")
            process.stdin.flush()
        for process in three:
            _, said = process.communicate(timeout=120)
            assert process.returncode == 0, said.decode()

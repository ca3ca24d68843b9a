"""Files that two processes of the city side open at the same moment."""

from __future__ import annotations

import contextlib
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
for line in sys.stdin:  # all get theirs together
    folder = Path(line.strip())
    SqliteStore(folder / "store.db", 90).close()
    PendingDays(folder / "days.db").close()
    Quarantine(folder / "quarantine.db", 10**6).close()
    print(folder, flush=True)
"""


def test_new_files_are_opened_by_three_at_once(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", CODE]
    with (tmp_path / "errors").open("wb") as errors, contextlib.ExitStack() as stack:
        three = [
            stack.enter_context(subprocess.Popen(argv, stdin=PIPE, stdout=PIPE, stderr=errors))
            for _ in range(3)
        ]
        assert [_line(process) for process in three] == ["ready"] * 3
        for each in range(8):
            folder = tmp_path / str(each)
            folder.mkdir()
            for process in three:
                assert process.stdin is not None
                process.stdin.write(f"{folder}\n".encode())
                process.stdin.flush()
            said = [_line(process) for process in three]
            assert said == [str(folder)] * 3, (tmp_path / "errors").read_text()
    assert [process.returncode for process in three] == [0, 0, 0]


def _line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()

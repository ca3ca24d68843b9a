"""`once` where a probe fails: the report is printed all the same, and the reason is logged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from agent.cli import main
from agent.probes import host
def fails(context):
    raise OSError("no such sensor\\n2026 INFO forged")
host.probe = fails
sys.argv = ["schoolpulse-agent", "once", "--json"]
sys.exit(main())
"""


def test_a_probe_that_raises_says_why(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SCHOOLPULSE_")}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        env={**environ, "SCHOOLPULSE_DATA": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert any(one.get("failed_probes") == ["host"] for one in report["readings"])
    (line,) = done.stderr.splitlines()
    assert line.split(" ", 1)[1] == (
        'WARNING probe_failed probe=host reason="OSError: no such sensor\\n2026 INFO forged"'
    )

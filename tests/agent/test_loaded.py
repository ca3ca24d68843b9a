"""What starting the resident agent loads: nothing that it has no use for at rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Each with the compressors, tables or clients that it brings.
NOT_AT_REST = {"shutil", "bz2", "lzma", "unicodedata", "http.client", "tempfile", "asyncio"}
_START = """
import sys
from agent.cli import main
sys.argv[:1] = ["schoolpulse-agent", "run", "--config"]
try:
    code = main()
finally:
    print(*sys.modules)
"""


def test_the_command_line_and_the_settings_load_nothing_heavy(tmp_path: Path) -> None:
    """The settings name a folder that is a file, so that it ends after having read all of them."""
    secret = tmp_path / "broker.password"
    secret.write_text("a password of 密码 \n", encoding="utf-8")
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    settings = tmp_path / "agent.toml"
    settings.write_text(
        f'school = "9963020001"\ndata = "{blocked}"\n[broker]\nhost = "127.0.0.1"\n'
        f'username = "9963020001"\npassword_file = "{secret}"\n'
    )
    program = [sys.executable, "-c", _START, str(settings)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    loaded = set(done.stdout.split())
    assert "agent.common.textfile" in loaded, done.stderr
    assert "blocked" in done.stderr
    assert not loaded & NOT_AT_REST

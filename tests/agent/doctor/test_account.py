"""As whom the doctor asks: root takes the rights of the service's account, others keep theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from folders import enterable

_TAKE = """
import json, os, sys
from pathlib import Path
from agent.common import language
from agent.doctor import account
language.choose("en")
found = account.take(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
print(json.dumps({**found._asdict(), "uid": os.geteuid(), "groups": os.getgroups()}))
"""
UID = 61_234

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can take other rights"
)


def take(folder: Path, settings: Path | str = "", *program: Path) -> dict[str, object]:
    argv = [sys.executable, "-c", _TAKE, str(folder), str(settings), *map(str, program)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_root_asks_as_the_owner_of_the_data_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, UID, UID)
    found = take(tmp_path)
    assert (found["ok"], found["uid"], found["groups"]) == (True, UID, [])
    assert f"uid {UID}" in str(found["detail"])


def test_settings_that_only_root_reads_are_a_fault(tmp_path: Path) -> None:
    folder, settings = tmp_path / "data", tmp_path / "agent.toml"
    folder.mkdir()
    settings.write_text("")
    settings.chmod(0o600)
    os.chown(folder, UID, UID)
    found = take(folder, settings)
    assert found["ok"] is False
    assert str(settings) in str(found["fix"])


def test_without_a_service_account_root_says_that_nothing_is_known(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        found = take(folder)
        assert (found["ok"], found["uid"]) == (None, 0)
        assert found["fix"]


def test_a_program_that_the_account_cannot_read_is_a_fault(tmp_path: Path) -> None:
    """As one in root's home: the service could not start."""
    data, closed = tmp_path / "data", tmp_path / "closed"
    data.mkdir()
    closed.mkdir(mode=0o700)
    os.chown(data, UID, UID)
    enterable(tmp_path)
    found = take(data, "", closed / "python.py")
    assert (found["ok"], found["uid"]) == (False, 0)
    assert str(closed) in str(found["detail"])
    assert "/opt/schoolpulse" in str(found["fix"])

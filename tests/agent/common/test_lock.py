"""One program a folder: a lock that a killed process cannot leave behind."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import services
from agent.common import language, lock
from agent.common.command_line import RefusedError
from agent.common.lock import HeldError, Lock, agent_lock, is_held

HOLD = (
    "import sys, pathlib; from agent.common.lock import Lock;"
    "lock = Lock(pathlib.Path(sys.argv[1]), 'agent'); print('held', flush=True); sys.stdin.read()"
)


def test_a_lock_refuses_another_process_and_dies_with_its_own(tmp_path: Path) -> None:
    path = tmp_path / "collect.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RefusedError, match=str(tmp_path)):
            Lock(path, "collector")
        assert is_held(path)
    finally:
        holder.kill()
        holder.communicate()
    Lock(path, "collector").release()
    assert not is_held(path)


def test_two_of_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    held = Lock(tmp_path / "agent.lock", "agent")
    with pytest.raises(HeldError):
        Lock(tmp_path / "agent.lock", "agent")
    held.release()
    Lock(tmp_path / "agent.lock", "agent").release()


def test_who_is_refused_learns_which_program_holds_the_folder(tmp_path: Path) -> None:
    language.choose("en")
    held = Lock(tmp_path / "collect.lock", "collector")
    with pytest.raises(HeldError, match=f"another collector runs on {tmp_path}; stop it"):
        Lock(tmp_path / "collect.lock", "collector")
    held.release()
    with (
        agent_lock(tmp_path),
        pytest.raises(HeldError, match="another agent runs"),
        agent_lock(tmp_path),
    ):
        pass


def test_a_lock_that_was_never_taken_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "agent.lock")
    assert list(tmp_path.iterdir()) == [], "asking makes no file"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOLCK])
def test_a_fault_of_the_disk_blames_no_other_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fails(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    if code == errno.ENOLCK:
        monkeypatch.setattr(lock, "_take", fails)
    else:
        monkeypatch.setattr(lock.os, "open", fails)
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        Lock(tmp_path / "agent.lock", "agent")
    assert not isinstance(caught.value, RefusedError)
    with pytest.raises(RefusedError, match=os.strerror(code)) as refused, agent_lock(tmp_path):
        pass
    assert not isinstance(refused.value, HeldError)


def test_a_full_disk_blames_no_other_program(tmp_path: Path) -> None:
    with services.small_disk(tmp_path / "disk") as disk:
        services.fill(disk)
        with contextlib.suppress(OSError):  # an empty file may find room, or may not
            Lock(disk / "collect.lock", "collector").release()

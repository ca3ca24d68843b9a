"""The updater's files on Windows, in folders of this system; with services: tests/windows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.service import update_service, update_windows, windows
from agent.service.update_service import Copies
from agent.update import memory
from agent.update.helper import Setup
from agent.update.install_windows import UPDATER, own_folder
from agent.update.memory import Seen
from agent.update.switching import Pending
from agent.windows import sddl

NAME = Path(sys.executable).name
OLD, NEW = "0.2.0", "0.3.0"


def program(folder: Path, version: str) -> Path:
    (folder / "_internal").mkdir(parents=True)
    (folder / "_internal/library").write_text(version)
    (folder / NAME).write_text(version)
    return folder


def installed(folder: Path) -> list[str]:
    return [(folder / name).read_text() for name in (NAME, "_internal/library")]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    prefix = program(tmp_path / "SchoolPulse", OLD)
    own = own_folder(prefix)
    own.mkdir()
    return Setup(state=tmp_path / "data", own=own, prefix=prefix, platform="windows")


def test_the_copy_takes_the_place_of_a_broken_version(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[object] = []
    monkeypatch.setattr(windows, "stop", lambda wait: stopped.append(wait))
    copy = update_windows.copied(setup.prefix, setup.own, OLD)
    (setup.prefix / "_internal/library").write_text("broken")
    (setup.prefix / "_internal/more").write_text("broken")
    (setup.prefix / NAME).unlink()
    Copies(setup, copy).switch(copy)
    assert installed(setup.prefix) == [OLD, OLD]
    assert not (setup.prefix / "_internal/more").exists()
    assert len(stopped) == 1


def test_the_updater_runs_the_version_that_proved_good(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[tuple[str, str]] = []
    monkeypatch.setattr(windows, "repoint", lambda name, command: commands.append((name, command)))
    former = program(setup.own / "0.1.0", "0.1.0")
    memory.write(setup.own, Seen(serial=7, refused=("0.1.5",)))
    copy = update_windows.copied(setup.prefix, setup.own, OLD)
    copies = Copies(setup, copy)
    target = copies.folder(NEW)
    target.mkdir()
    for file in (setup.prefix / NAME, setup.prefix / "_internal/library"):
        file.write_text(NEW)  # as its setup has done
    copies.keep(target, copies.settle(OLD))
    assert installed(setup.own / NEW) == [NEW, NEW]
    assert installed(copy) == [OLD, OLD], "it runs from there"
    assert not former.exists()
    assert memory.read(setup.own) == Seen(serial=7, refused=("0.1.5",))
    assert not target.exists()
    ((name, command),) = commands
    assert name == UPDATER
    assert str(setup.own / NEW / NAME) in command
    assert str(setup.prefix) in command


def test_a_full_disk_leaves_the_former_copy_to_serve(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    copy = update_windows.copied(setup.prefix, setup.own, OLD)
    monkeypatch.setattr(update_windows, "copied", full)
    copies = Copies(setup, copy)
    copies.keep(copies.folder(NEW), copy)
    assert installed(copy) == [OLD, OLD]


def test_only_administrators_change_the_updaters_folder() -> None:
    assert sddl.others(sddl.program(), sddl.CHANGE) == []
    assert sddl.others(sddl.program(), sddl.READ) == ["BU"]
    assert sddl.others(sddl.closed(), sddl.READ | sddl.CHANGE) == []


def test_it_runs_only_modules_that_it_knows() -> None:
    entry = Path(update_service.__file__).parents[2] / "deploy/windows/entry.py"
    assert f'"{update_windows.MODULE}"' in entry.read_text("utf-8")


def test_a_copy_that_is_gone_or_torn_leaves_the_program_alone(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[object] = []
    monkeypatch.setattr(windows, "stop", lambda wait: stopped.append(wait))
    torn = update_windows.copied(setup.prefix, setup.own, OLD)
    (torn / NAME).unlink()
    for copy in (torn, setup.own / "9.9.9"):
        with pytest.raises(OSError, match="no whole copy"):
            Copies(setup, copy).switch(copy)
    assert installed(setup.prefix) == [OLD, OLD]
    assert stopped == []


def test_a_setup_by_hand_ends_the_watch_over_another_version(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = update_windows.copied(setup.prefix, setup.own, OLD)
    Pending(NEW, str(copy), str(setup.own / f"setup-{NEW}")).write(setup.own)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(setup.prefix / NAME))
    monkeypatch.setattr(windows, "uninstall", lambda wait, name: None)
    update_windows.uninstall(lambda: None)
    assert Pending.read(setup.own) is None
    assert not copy.exists()

"""`prepare-image` and `uninstall --purge`: what goes, what stays, and when they refuse."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import config, service
from agent.cli import COMMANDS
from agent.clock import Clock
from agent.commands import prepare_image
from agent.common.command_line import main
from agent.common.lock import Lock
from agent.identity import identity
from agent.outbox import Outbox
from agent.outbox.file import fact, open_readonly
from agent.wire import AgentHealth

PATTERN, CLONE = "ab" * 16, "cd" * 16


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder with all that an agent leaves, and a file that is not ours."""
    folder = tmp_path / "data"
    monkeypatch.setenv("SCHOOLPULSE_DATA", str(folder))
    monkeypatch.setattr("agent.service.service.UNIT", tmp_path / "no.service")
    monkeypatch.setattr(prepare_image, "ROOT", tmp_path)
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "etc/agent.toml")
    folder.mkdir()
    for name in ("status.json", "agent.log", "agent.old.log", "outbox.db.damaged-1", "ca.pem"):
        (folder / name).write_text("{}")
    (tmp_path / identity.HARDWARE_FILE).parent.mkdir(parents=True)
    (tmp_path / identity.HARDWARE_FILE).write_text("{}")
    return folder


def agent(*words: str) -> int:
    return main("schoolpulse-agent", COMMANDS, words)


def put(folder: Path, machine: str = PATTERN) -> None:
    outbox = Outbox(folder / "outbox.db", machine, Clock())
    outbox.put((AgentHealth(version="1"),), evidence=True)
    outbox.close()


def owner(folder: Path) -> str | None:
    with contextlib.closing(open_readonly(folder / "outbox.db")) as db:
        return fact(db, "machine")


def test_reports_that_wait_are_not_lost_silently(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(data)
    before = {file.name for file in data.iterdir()}
    assert agent("prepare-image") == 2
    said = capsys.readouterr().err
    assert "1 份报告没有送达，其中证据 1 份" in said
    assert "--discard" in said
    assert before <= {file.name for file in data.iterdir()}


def test_nothing_of_this_pc_is_left_and_a_clone_begins_as_itself(
    data: Path, tmp_path: Path
) -> None:
    put(data)
    assert agent("prepare-image", "--discard") == 0
    assert {file.name for file in data.iterdir()} == {"ca.pem", "agent.lock"}
    assert not (tmp_path / identity.HARDWARE_FILE).exists()
    assert agent("prepare-image") == 0  # a second time there is nothing to do
    put(data, CLONE)
    outbox = Outbox(data / "outbox.db", CLONE, Clock())
    assert (outbox.counts().rows, outbox.counts().set_aside) == (1, 0)
    outbox.close()
    assert owner(data) == CLONE


def test_a_damaged_outbox_is_no_empty_one(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The agent saves what it can of it: all but the damaged page."""
    put(data)
    (data / "outbox.db").write_bytes(b"torn" * 1024)
    assert agent("prepare-image") == 2
    said = capsys.readouterr().err
    assert "读不了" in said
    assert "--discard" in said
    assert (data / "outbox.db").exists()
    assert agent("prepare-image", "--discard") == 0


def test_before_any_agent_has_run(data: Path) -> None:
    for file in data.iterdir():
        file.unlink()
    data.rmdir()
    assert agent("prepare-image") == 0
    assert not data.exists()


@pytest.mark.parametrize("words", [("prepare-image", "--discard"), ("uninstall", "--purge")])
def test_refused_while_an_agent_runs(
    data: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    put(data)
    lock = Lock(data / "agent.lock", "agent")
    assert agent(*words) == 2
    assert "已有一个代理在运行" in capsys.readouterr().err
    assert owner(data) == PATTERN
    lock.release()


def test_a_service_that_left_a_last_report_runs_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it put while it stopped waits for a receipt, and only it can send it."""
    called: list[str] = []

    def noted(name: str, then: Callable[[], None]) -> Callable[[], bool]:
        def call() -> bool:
            called.append(name)
            then()
            return True

        return call

    monkeypatch.setattr(service, "stop", noted("stop", lambda: put(data)))
    monkeypatch.setattr(service, "start", noted("start", lambda: None))
    assert agent("prepare-image") == 2
    assert called == ["stop", "start"]
    assert owner(data) == PATTERN


def test_a_service_runs_again_where_a_file_could_not_be_erased(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def held(folder: Path) -> int:
        raise PermissionError(13, "held by a virus scanner", str(folder / "agent.log"))

    started: list[bool] = []
    monkeypatch.setattr(service, "stop", lambda: True)
    monkeypatch.setattr(service, "start", lambda: started.append(True))
    monkeypatch.setattr(prepare_image.datafiles, "erase", held)
    assert agent("prepare-image") == 2
    assert "agent.log" in capsys.readouterr().err
    assert started == [True]


def test_a_room_in_the_settings_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('school = "9900000001"\nroom = "301"\n')
    assert agent("prepare-image", "--config", str(file)) == 0
    assert "room = '301'" in capsys.readouterr().out


def test_purge_leaves_what_is_not_ours(data: Path) -> None:
    put(data)
    config.DEFAULT_FILE.parent.mkdir()
    config.DEFAULT_FILE.write_text('school = "9900000001"\n')
    assert agent("uninstall", "--purge") == 0
    assert [file.name for file in data.iterdir()] == ["ca.pem"]
    assert not config.DEFAULT_FILE.parent.exists()


def test_purge_needs_no_settings_that_can_be_read(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A PC must not keep the program for that."""
    put(data)
    config.DEFAULT_FILE.parent.mkdir()
    config.DEFAULT_FILE.write_bytes(b"# \xff\xff\xff\n")
    assert agent("uninstall", "--purge") == 0
    assert str(data) in capsys.readouterr().err
    assert {file.name for file in data.iterdir()} == {"ca.pem"}
    assert not config.DEFAULT_FILE.exists()


def test_a_slip_in_the_config_that_is_named_removes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "uninstall", lambda: pytest.fail("the service is gone"))
    assert agent("uninstall", "--purge", "--config", str(tmp_path / "agnet.toml")) == 2
    assert (data / "status.json").exists()


def test_purge_takes_the_folder_behind_systemds_link(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "ca.pem").unlink()
    link = tmp_path / "state"
    link.symlink_to(data)
    monkeypatch.setenv("SCHOOLPULSE_DATA", str(link))
    assert agent("uninstall", "--purge") == 0
    assert not link.is_symlink()
    assert not data.exists()

"""`install BUNDLE` where there is one already: of the same school, of another, or half written."""

from __future__ import annotations

from pathlib import Path

import pytest

import bundles
from agent import config
from agent.clock import Clock
from agent.common import secret_files
from agent.outbox import Outbox
from agent.wire import AgentHealth
from installing_pc import AS_ROOT, Pc

pytestmark = AS_ROOT


def test_twice_changes_nothing_and_restarts_nothing(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    pc.say("install", pc.bundle)
    before = (
        {file.name: file.stat().st_mtime_ns for file in pc.etc.iterdir()},
        pc.unit.stat().st_mtime_ns,
    )
    count = len(pc.calls)
    capsys.readouterr()
    assert pc.say("install", pc.bundle) == 0
    assert pc.say("install") == 0
    assert capsys.readouterr().out.count("没有改动") == 2
    after = (
        {file.name: file.stat().st_mtime_ns for file in pc.etc.iterdir()},
        pc.unit.stat().st_mtime_ns,
    )
    assert after == before
    assert {call.split()[0] for call in pc.calls[count:]} <= {
        "--version", "is-enabled", "is-active",
    }  # fmt: skip


def test_a_service_that_does_not_run_is_started_again(pc: Pc) -> None:
    pc.say("install", pc.bundle)
    (pc.folder / "state").write_text("3")
    count = len(pc.calls)
    assert pc.say("install", pc.bundle) == 0
    assert "restart" in {call.split()[0] for call in pc.calls[count:]}


@pytest.mark.parametrize("name", secret_files.agent_files())
def test_what_was_lost_or_opened_is_put_right(pc: Pc, name: str) -> None:
    pc.say("install", pc.bundle)
    whole = pc.files()
    (pc.etc / name).chmod(0o644)
    assert pc.say("install", pc.bundle) == 0
    (pc.etc / name).unlink()
    assert pc.say("install", pc.bundle) == 0
    assert pc.files() == whole


def test_a_new_credential_replaces_the_old_one(pc: Pc, made: dict[str, bytes]) -> None:
    pc.say("install", pc.bundle)
    new = {**made, "broker.password": b"another-one-that-is-long\n"}
    new["agent.toml"] = bundles.settings(username=f"{bundles.SCHOOL}-2").encode()
    assert pc.say("install", bundles.write(pc.folder / "new.zip", new)) == 0
    assert pc.files()["broker.password"][0] == new["broker.password"]
    assert config.load(str(pc.etc / "agent.toml"))[0].broker.username.endswith("-2")


def test_killed_before_the_last_file_it_is_the_old_one_and_is_put_right(
    pc: Pc, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.common import files

    done: list[str] = []
    real = files.replace

    def dying(path: Path, data: bytes, **words: int) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(path.name)
        real(path, data, **words)

    monkeypatch.setattr(files, "replace", dying)
    assert pc.say("install", pc.bundle) == 130
    assert "agent.toml" not in pc.files()
    monkeypatch.setattr(files, "replace", real)
    assert pc.say("install", pc.bundle) == 0
    assert set(pc.files()) == set(made) - {"安装说明.html"}


def test_another_school_asks_for_replace(
    pc: Pc, made: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    pc.say("install", pc.bundle)
    other = {**made, "agent.toml": bundles.settings("9963020002").encode()}
    path = bundles.write(pc.folder / "other.zip", other)
    before = pc.files()
    assert pc.say("install", path) == 2
    said = capsys.readouterr().err
    assert bundles.SCHOOL in said
    assert "9963020002" in said
    assert "--replace" in said
    assert pc.files() == before
    assert pc.say("install", path, "--replace") == 0
    assert config.load(str(pc.etc / "agent.toml"))[0].school == "9963020002"


def test_unsent_reports_of_the_old_school_are_not_the_new_ones(
    pc: Pc, made: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    pc.say("install", pc.bundle)
    (pc.folder / "data").mkdir()
    outbox = Outbox(pc.folder / "data/outbox.db", "ab" * 16, Clock())
    outbox.put((AgentHealth(version="1"),), evidence=True)
    outbox.close()
    other = {**made, "agent.toml": bundles.settings("9963020002").encode()}
    path = bundles.write(pc.folder / "other.zip", other)
    assert pc.say("install", path, "--replace") == 2
    assert "--discard" in capsys.readouterr().err
    assert config.load(str(pc.etc / "agent.toml"))[0].school == bundles.SCHOOL
    assert pc.say("install", path, "--replace", "--discard") == 0
    assert not (pc.folder / "data/outbox.db").exists()

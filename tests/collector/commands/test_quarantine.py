"""`schoolpulse quarantine`: look at what was set aside, and store it after a fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.wire.topics import report_topic
from collector import cli
from collector.config import Config
from collector.service.pipeline.quarantine import FILE, Quarantine, Row
from collector.store.factory import open_store
from one_school import SCHOOL, settled_folder

MACHINE, BOOT = "ab" * 16, "0123456789abcdef"
NOW = 1_793_577_600_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return settled_folder(tmp_path)


def ask(folder: Path, *words: str) -> int:
    argv = ["schoolpulse", "quarantine", *words, "--config", str(folder.parent / "c.toml")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", argv)
        return cli.main()


def fill(folder: Path) -> None:
    good = wire.encode(wire.Report(v=1, time=NOW, readings=(wire.Host(cpu_percent=1.0),)))
    with open_store(Config(data=str(folder))):
        pass
    held = Quarantine(folder / FILE, 10_000)
    topic = report_topic(SCHOOL, MACHINE, BOOT, 7)
    held.add([Row(NOW * 10**6, topic, good, "store: field type conflict")])
    held.add([Row(NOW * 10**6, topic[:-1] + "8", b"junk\x1b[2J", "unreadable: no JSON")])
    held.close()


def test_list_and_show(folder: Path, capsys: Any) -> None:
    fill(folder)
    assert ask(folder, "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(row["school"], row["number"]) for row in listed] == [(SCHOOL, 7), (SCHOOL, 8)]
    assert ask(folder, "list") == 0
    assert "unreadable: no JSON" in capsys.readouterr().out
    assert ask(folder, "show", "2") == 0
    shown = capsys.readouterr().out
    assert "junk" in shown
    assert "\x1b" not in shown, "a terminal must not obey a message"
    assert ask(folder, "show", "9") == 1


def test_a_damaged_file_is_named_with_the_fix(folder: Path, capsys: Any) -> None:
    (folder / FILE).write_bytes(b"\xff" * 9000)
    assert ask(folder, "list") == 2
    assert cli_says(folder, "collect") == 2
    refused = capsys.readouterr().err.splitlines()
    assert all(str(folder / FILE) in line for line in refused)
    assert "从备份恢复" in refused[0]


def cli_says(folder: Path, command: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["x", command, "--config", str(folder.parent / "c.toml")])
        return cli.main()


def test_an_empty_list_says_so(folder: Path, capsys: Any) -> None:
    Quarantine(folder / FILE, 10_000).close()
    assert ask(folder, "list") == 0
    assert capsys.readouterr().out.startswith("没有\n")


def test_replay_stores_what_can_be_stored_and_keeps_the_rest(folder: Path, capsys: Any) -> None:
    fill(folder)
    assert ask(folder, "replay") == 1
    assert "入库 1 条，留下 1 条" in capsys.readouterr().out
    with open_store(Config(data=str(folder))) as store:
        [point] = store.read("agent", 0, 2**62)
    assert point.fields["number"] == 7
    held = Quarantine(folder / FILE, 10_000)
    assert [row.payload[:4] for row in held.rows()] == [b"junk"]
    held.close()
    from collector.service.pipeline.pending_days import FILE as DAYS
    from collector.service.pipeline.pending_days import PendingDays

    dirty = PendingDays(folder / DAYS)
    assert len(dirty.take()) == 1, "the keeper derives its day again"
    dirty.close()


def test_replay_of_what_is_not_there_is_said(folder: Path, capsys: Any) -> None:
    fill(folder)
    assert ask(folder, "replay", "1", "77") == 1
    told = capsys.readouterr()
    assert "77" in told.err
    assert "入库 1 条，留下 1 条" in told.out


def test_replay_that_the_store_ends_counts_all_that_is_left(folder: Path, capsys: Any) -> None:
    fill(folder)
    (folder / "schoolpulse.db").write_bytes(b"x" * 5000)
    for left in (folder / "schoolpulse.db-wal", folder / "schoolpulse.db-shm"):
        left.unlink(missing_ok=True)
    assert ask(folder, "replay") == 1
    assert "入库 0 条，留下 2 条" in capsys.readouterr().out


def test_replay_notes_the_day_for_a_keeper_on_another_machine(folder: Path) -> None:
    fill(folder)
    ask(folder, "replay")
    with open_store(Config(data=str(folder))) as store:
        [note] = store.read("collector", 0, 2**62, fields=["noted"])
    assert str(note.fields["noted"]).startswith("2026-11-02 ")


def test_without_a_quarantine_it_says_so(folder: Path, capsys: Any) -> None:
    assert ask(folder, "list") == 2
    assert FILE in capsys.readouterr().err

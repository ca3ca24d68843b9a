"""`schoolpulse backup` and `restore`: what goes in, what comes back, and what is refused."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import grafana_emulator
from agent.common.lock import Lock
from backup_city import KEY, SECRETS, Place, Run
from collector.backup.container import Reader
from collector.backup.restoring import rewritten
from collector.config import Config

from .calls import Figure, dump, points, restored, saved


def test_all_of_it_comes_back_elsewhere(
    run: Run, place: Place, other: Place, passphrase: Path, figure: Figure
) -> None:
    before = figure(place)
    file = saved(run, place, passphrase)
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("backup", "--verify", file) == 0
    assert restored(run, file, other, passphrase) == 0
    assert figure(other) == before
    assert points(Config(data=str(other.data))) == points(Config(data=str(place.data)))
    for name in ("register.db", "quarantine.db", "days.db", "enrol.db"):
        assert dump(other.data / name) == dump(place.data / name), name
    for name in ("renewals/1.json", "truth.json", "archives/2025.sha256"):
        assert (other.data / name).read_bytes() == (place.data / name).read_bytes()
    assert [path.read_bytes() for path in (other.data / "inspections").iterdir()] == [b"a photo"]
    for name, text in SECRETS.items():
        path = other.settings.parent / name
        assert (path.read_text(), path.stat().st_mode & 0o777) == (text, 0o400)
    assert (other.data / "keys/9901020001.key").read_text() == KEY
    text = other.settings.read_text()
    assert f'data = "{other.data}"' in text
    assert f'ca = "{other.settings.parent}/ca.pem"' in text
    assert f'keys = "{other.data}/keys"' in text
    assert not (other.data / "restore.unfinished").exists()
    assert (other.data / "again.json").exists(), "the PCs are asked"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_settings_as_windows_tools_save_them_come_back(
    run: Run, place: Place, other: Place, passphrase: Path, encoding: str
) -> None:
    text = "# 西宁市的设置\n" + place.settings.read_text()
    place.settings.write_bytes(text.encode(encoding))
    assert restored(run, saved(run, place, passphrase), other, passphrase) == 0
    back = other.settings.read_text("utf-8")
    assert back.startswith("# 西宁市的设置\n")
    assert f'data = "{other.data}"' in back


def test_a_folder_in_use_is_kept_and_set_aside_only_when_asked(
    run: Run, place: Place, passphrase: Path, figure: Figure, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(run, place, passphrase)
    before = figure(place)
    (place.data / "quarantine.db").write_bytes(b"mine")
    assert restored(run, file, place, passphrase) == 2
    assert "--replace" in capsys.readouterr().err
    assert (place.data / "quarantine.db").read_bytes() == b"mine"
    for name in ("collect.lock", "keeper.lock", "up.lock", "enrol.lock", "lineserver/lock"):
        held = Lock(place.data / name, "x")
        assert restored(run, file, place, passphrase, "--replace") == 2
        assert "运行" in capsys.readouterr().err
        held.release()
    assert restored(run, file, place, passphrase, "--replace") == 0
    [aside] = place.data.glob("before-restore-*")
    assert (aside / "quarantine.db").read_bytes() == b"mine"
    assert (aside / "register.db").exists()
    assert figure(place) == before
    with closing(Reader(saved(run, place, passphrase))) as reader:
        assert not [p for p in reader.manifest.parts if "before-restore" in p.name]


def test_settings_that_are_there_stay(
    run: Run, place: Place, other: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(run, place, passphrase)
    other.settings.parent.mkdir(parents=True)
    other.settings.write_text(f'data = "{other.data}"\n[city]\nname = "另一城"\n')
    assert run("restore", file, "--config", other.settings, "--passphrase-file", passphrase) == 0
    assert "另一城" in other.settings.read_text()
    assert "保留" in capsys.readouterr().out
    assert not (other.settings.parent / "mqtt.password").exists()
    assert (other.data / "register.db").exists()


def test_a_dry_run_writes_nothing(
    run: Run, place: Place, other: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(run, place, passphrase)
    assert restored(run, file, other, passphrase, "--dry-run") == 0
    assert "没有恢复的" in capsys.readouterr().out
    assert not other.root.exists()


def test_further_folders_are_sealed_and_put_aside(
    run: Run, place: Place, other: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = place.root / "mosquitto"
    broker.mkdir()
    (broker / "mosquitto.db").write_text("secret-in-queue")
    words = ("--passphrase-file", passphrase, "--also", broker)
    file = saved(run, place, passphrase, *words)
    assert b"secret-in-queue" not in file.read_bytes()
    assert restored(run, file, other, passphrase) == 0
    assert (other.data / "also-0/mosquitto.db").read_text() == "secret-in-queue"
    assert str(broker) in capsys.readouterr().out


def test_boards_come_back_and_still_count_as_ours(
    run: Run, place: Place, other: Place, passphrase: Path
) -> None:
    with grafana_emulator.running() as first, grafana_emulator.running() as second:
        first.folders["f"] = "文件夹"
        ours = {"uid": "ours", "title": "我们的", "panels": [{"title": "一"}]}
        entry = {"data": ours, "message": "schoolpulse dashboards push 1234", "folder": "f"}
        first.boards["ours"] = [entry, entry]
        token = ("--token", grafana_emulator.TOKEN)
        words = ("--passphrase-file", passphrase, "--grafana", first.url, *token)
        file = saved(run, place, passphrase, *words)
        assert restored(run, file, other, passphrase, "--grafana", second.url, *token) == 0
        [board] = second.boards["ours"]
        assert (board["data"]["panels"], board["message"]) == (ours["panels"], entry["message"])
        assert (board["folder"], second.folders) == ("f", {"f": "文件夹"})


def test_folders_in_the_settings_are_replaced_once_and_whole() -> None:
    text = 'data = "/a"\nx = "/ab"\ny = \'/a/c\'\n# "/a"x\n'
    moved = rewritten(text, {"/a": "/a/new", "/a/c": "/z"}, Path("/a/new")).decode()
    assert moved == 'data = "/a/new"\nx = "/ab"\ny = \'/z\'\n# "/a/new"x\n'
    assert rewritten("[mqtt]\n", {}, Path("/d")).decode() == 'data = "/d"\n[mqtt]\n'


@pytest.mark.influxdb
def test_rows_move_from_sqlite_to_influxdb(
    run: Run, place: Place, other: Place, passphrase: Path, influxdb: Any, figure: Figure
) -> None:
    file, before = saved(run, place, passphrase), figure(place)
    for name in ("moved-t", "moved-e"):
        influxdb.create(name)
    other.settings.parent.mkdir(parents=True)
    other.settings.write_text(
        f'data = "{other.data}"\n[store]\nkind = "influxdb"\nurl = "{influxdb.bare}"\n'
        'telemetry = "moved-t"\nevidence = "moved-e"\n'
    )
    try:
        assert restored(run, file, other, passphrase) == 0
        assert figure(other) == before
        assert not (other.data / "schoolpulse.db").exists()
    finally:
        for name in ("moved-t", "moved-e"):
            influxdb.drop(name)

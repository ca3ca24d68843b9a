"""`schoolpulse backup` and `restore`: what goes in, what comes back, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import grafana_emulator
import services
from agent.common.lock import Lock
from backup_city import KEY, PASSPHRASE, SECRETS, Place, Run
from collector.backup import sealing
from collector.backup.container import Reader
from collector.backup.restoring import rewritten
from collector.config import Config
from collector.store.base import Point
from collector.store.factory import open_store

SECRET = b"secret-"
Figure = Callable[[Place], Any]


def saved(run: Run, place: Place, passphrase: Path, *words: object) -> Path:
    file = place.root.parent / "saved.backup"
    words = words or ("--passphrase-file", passphrase)
    assert run("backup", file, "--config", place.settings, *words) == 0
    return file


def restored(run: Run, file: Path, to: Place, passphrase: Path, *words: object) -> int:
    return run(
        "restore", file, "--config", to.settings, "--data", to.data,
        "--passphrase-file", passphrase, *words,
    )  # fmt: skip


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as base:
        return list(base.iterdump())


def points(config: Config) -> list[Point]:
    from collector.schema import MEASUREMENTS

    with open_store(config) as store:
        return [p for name in MEASUREMENTS for p in store.read(name, 0, 2**62)]


@pytest.fixture
def other(tmp_path: Path) -> Place:
    """Where it is restored to; a folder within the folder of the settings."""
    return Place(tmp_path / "city/etc/other")


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


def test_no_secret_can_be_read_in_the_file(run: Run, place: Place, passphrase: Path) -> None:
    for words in ((), ("--without-secrets",)):
        file = saved(run, place, passphrase, *words)
        with zipfile.ZipFile(file) as held:
            for name in held.namelist():
                assert SECRET not in held.read(name), name


def test_secrets_left_out_are_named_and_the_rest_comes_back(
    run: Run, place: Place, other: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(run, place, passphrase, "--without-secrets")
    told = capsys.readouterr().out
    # The settings name a password that is not there: what lacks is said, and then it goes on.
    first = run("restore", file, "--config", other.settings, "--data", other.data)
    assert first in (0, 2)
    told += "".join(capsys.readouterr())
    password = other.settings.parent / "mqtt.password"
    if first:
        assert str(password) in told
        assert not (other.data / "register.db").exists()
        password.write_text("new")
        assert run("restore", file, "--config", other.settings, "--data", other.data) == 0
        told += capsys.readouterr().out
    for name in ("enrol.db", "renewals/1.json", "settings/ca.key", "9901020001.key"):
        assert name in told
    assert (other.data / "register.db").exists()
    assert not (other.data / "enrol.db").exists()


def test_settings_with_a_password_inside_are_a_secret(
    run: Run, place: Place, passphrase: Path
) -> None:
    text = place.settings.read_text()
    place.settings.write_text(text.replace("[mqtt]", '[mqtt]\npassword = "secret-inline"'))
    with zipfile.ZipFile(saved(run, place, passphrase)) as held:
        assert SECRET not in held.read("settings/collector.toml")


def test_another_passphrase_and_a_changed_file_write_nothing(
    run: Run, place: Place, other: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(run, place, passphrase)
    passphrase.write_text("quite another passphrase")
    assert restored(run, file, other, passphrase) == 2
    assert "口令不对" in capsys.readouterr().err
    passphrase.write_text(PASSPHRASE)
    for name in ("data/register.db", "store/agent.jsonl", "settings/mqtt.password"):
        changed = other_bytes(file, name)
        assert run("backup", "--verify", changed) == 1
        assert restored(run, changed, other, passphrase) == 1
        assert name in capsys.readouterr().out
    cut = file.with_name("cut")
    cut.write_bytes(file.read_bytes()[:-1000])
    assert run("backup", "--verify", cut) == 2
    assert not other.data.exists()


def other_bytes(file: Path, part: str) -> Path:
    """The same backup but for one byte of a part; the zip's own sums fit."""
    changed = file.with_name("changed")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[:-1] + b"!" if name == part else data)
    return changed


def with_manifest(file: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    changed = file.with_name("changed")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "manifest.json":
                body = json.loads(data)
                change(body)
                data = json.dumps(body).encode()
            new.writestr(name, data)
    return changed


def test_secrets_that_lie_elsewhere_come_to_the_settings(
    run: Run, place: Place, other: Place, passphrase: Path
) -> None:
    far = place.root / "far/web.token"
    far.parent.mkdir()
    far.write_text("secret-far-away")
    text = place.settings.read_text() + f'[store]\ntoken_file = "{far}"\n'
    place.settings.write_text(text)
    file = saved(run, place, passphrase)
    assert SECRET not in file.read_bytes()
    shutil.rmtree(far.parent)
    assert restored(run, file, other, passphrase) == 0
    assert (other.settings.parent / "web.token").read_text() == "secret-far-away"
    assert f'token_file = "{other.settings.parent}/web.token"' in other.settings.read_text()


def test_a_later_version_and_a_foreign_manifest_are_refused(
    run: Run, place: Place, other: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(run, place, passphrase)
    changes: list[tuple[Callable[[dict[str, Any]], None], str]] = [
        (lambda body: body.update(version="99.0.0"), "先升级"),
        (lambda body: body.update(format=2), "先升级"),
        (lambda body: body["parts"][0].update(name="../../escaped"), "清单"),
        (lambda body: body["parts"][0].update(name="/etc/escaped"), "清单"),
        (lambda body: body.update(made="today"), "清单"),
        (lambda body: body.update(made=body["made"] - 1), "清单被改过"),
    ]
    for change, why in changes:
        assert restored(run, with_manifest(file, change), other, passphrase) == 2
        assert why in capsys.readouterr().err
    assert not other.data.exists()


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


def test_files_that_are_written_meanwhile_are_copied_whole(
    run: Run, place: Place, other: Place, passphrase: Path
) -> None:
    """Pairs of rows are written in one transaction each: no copy has half a pair."""
    stop, path = threading.Event(), place.data / "held.db"
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE pair (number INTEGER)")

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=60)) as base:
            number = 0
            while not stop.is_set():
                number += 1
                base.executemany("INSERT INTO pair VALUES (?)", [(number,), (number,)])
                base.commit()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        file = saved(run, place, passphrase)
    finally:
        stop.set()
        writing.join()
    assert restored(run, file, other, passphrase) == 0
    with closing(sqlite3.connect(other.data / "held.db")) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        odd = base.execute("SELECT number FROM pair GROUP BY number HAVING count(*) <> 2")
        assert odd.fetchall() == []


_KILLED = """
import os, signal, sys
from collector import cli
from collector.commands import backup

left, step = int(sys.argv.pop(1)), backup.Bar.step
def counted(self, text):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, text)
backup.Bar.step = counted
sys.exit(cli.main())
"""


def killed(at: int, *words: object) -> int:
    """`schoolpulse …`, killed at its step `at`; its exit code."""
    argv = [sys.executable, "-c", _KILLED, str(at), *map(str, words)]
    return subprocess.run(argv, check=False, capture_output=True).returncode


def test_killed_at_any_step_it_leaves_no_half_file(
    run: Run, place: Place, passphrase: Path
) -> None:
    file = place.root.parent / "killed.backup"
    words = ("backup", file, "--config", place.settings, "--passphrase-file", passphrase)
    for at in (1, 9, 20, 30):
        assert killed(at, *words) == -signal.SIGKILL
        assert not file.exists()
    assert list(file.parent.glob("*.partial*"))
    assert run(*words) == 0
    whole = file.read_bytes()
    assert killed(12, *words) == -signal.SIGKILL
    assert file.read_bytes() == whole, "the one before stays"
    assert run(*words) == 0
    assert not list(file.parent.glob("*.partial*")), "what the killed ones left is removed"


def test_killed_at_any_step_a_restore_is_run_again(
    run: Run, place: Place, other: Place, passphrase: Path, figure: Figure
) -> None:
    file, before = saved(run, place, passphrase), figure(place)
    with closing(Reader(file)) as reader:
        last = len(reader.manifest.parts)
    for at in (1, 5, last - 3, last):
        code = killed(
            at, "restore", file, "--config", other.settings, "--data", other.data,
            "--passphrase-file", passphrase,
        )  # fmt: skip
        assert code == -signal.SIGKILL
        assert not (other.data / "register.db").exists(), "no city before all of it is there"
    assert restored(run, file, other, passphrase) == 0
    assert figure(other) == before
    assert points(Config(data=str(other.data))) == points(Config(data=str(place.data)))


def test_a_full_disk_is_named_and_leaves_nothing(
    run: Run, place: Place, passphrase: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with services.small_disk(tmp_path / "disk", "200k") as disk:
        words = ("--config", place.settings, "--passphrase-file", passphrase)
        assert run("backup", disk / "b", *words) == 2
        assert "腾出空间" in capsys.readouterr().err
        assert list(disk.iterdir()) == []


def test_it_is_not_written_beside_what_it_saves(
    run: Run, place: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--config", place.settings, "--passphrase-file", passphrase)
    assert run("backup", place.data / "b", *words) == 2
    assert "别的磁盘" in capsys.readouterr().err
    shutil.rmtree(place.data)
    assert run("backup", place.root / "b", *words) == 2
    assert "没有台账" in capsys.readouterr().err


def test_a_short_passphrase_is_refused(
    run: Run, place: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passphrase.write_text("short")
    words = ("--config", place.settings, "--passphrase-file", passphrase)
    assert run("backup", place.root / "b", *words) == 2
    assert "12" in capsys.readouterr().err


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


def test_chunks_of_a_sealed_file_cannot_be_moved_cut_or_renamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "CHUNK", 16)
    sealer = sealing.Sealer(PASSPHRASE)
    plain = bytes(range(70))
    sealed = b"".join(sealer.seal("a", [plain[:5], plain[5:]]))
    size = 16 + 16
    assert b"".join(sealer.open("a", [sealed])) == plain
    assert b"".join(sealer.open("b", sealer.seal("b", []))) == b""
    wrong = {
        "cut at a chunk": sealed[: 7 + 2 * size],
        "empty": sealed[:7],
        "swapped": sealed[:7] + sealed[7 + size : 7 + 2 * size] + sealed[7 : 7 + size]
        + sealed[7 + 2 * size :],
        "longer": sealed + b"x",
    }  # fmt: skip
    for what, data in wrong.items():
        with pytest.raises(sealing.WrongPassphraseError):
            pytest.fail(f"{what}: {b''.join(sealer.open('a', [data]))!r}")
    with pytest.raises(sealing.WrongPassphraseError):
        list(sealer.open("b", [sealed]))


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

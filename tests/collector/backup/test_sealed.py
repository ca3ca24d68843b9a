"""What a backup keeps secret, and what a changed one does not pass for."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backup_city import PASSPHRASE, Place, Run
from collector.backup import sealing

from .calls import SECRET, restored, saved


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


def test_a_short_passphrase_is_refused(
    run: Run, place: Place, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passphrase.write_text("short")
    words = ("--config", place.settings, "--passphrase-file", passphrase)
    assert run("backup", place.root / "b", *words) == 2
    assert "12" in capsys.readouterr().err


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

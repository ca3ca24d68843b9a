"""`setup --compose`: what deploy/compose.yaml mounts is there, for those who may read it."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.enrol import compose, owned
from enrolled_city import EnrolledCity

NAME = ("--name", "broker.city")
DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder deploy of a clone, on a machine without a Mosquitto of its own."""
    monkeypatch.setattr(compose, "_user", lambda name, otherwise: otherwise)
    monkeypatch.setattr(owned, "_account", lambda kind: None)
    made = tmp_path / "deploy"
    made.mkdir()
    shutil.copy(DEPLOY / "compose.yaml", made)
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def values(folder: Path) -> dict[str, str]:
    rows = (folder / ".env").read_text("utf-8").splitlines()
    return {name: value.strip("'") for name, _, value in (r.partition("=") for r in rows if r[0] != "#")}  # fmt: skip  # noqa: E501


def read(folder: Path) -> Any:
    """compose.yaml as compose reads it with the .env."""
    text, known = (folder / "compose.yaml").read_text("utf-8"), values(folder)
    return yaml.safe_load(re.sub(r"\$\{(\w+):-[^}]*\}", lambda found: known[found[1]], text))


def test_all_that_the_containers_mount_is_there(bare: EnrolledCity, folder: Path) -> None:
    assert bare.setup(*NAME, "--store", "influxdb", "--compose", str(folder)) == 0
    whole = read(folder)
    for name, service in whole["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("/"):
                assert Path(source).exists(), f"{name}: {source}"
            else:
                assert source in whole["volumes"] or (DEPLOY / source).exists(), f"{name}: {source}"
    for secret in whole["secrets"].values():
        file = folder / secret["file"]
        assert file.read_text().strip(), file
        assert mode(file) == 0o444
    assert mode(folder / "secrets") == 0o700
    keys = f"{bare.place.keys}:/etc/schoolpulse/line-keys:ro"
    assert keys in whole["services"]["lineserver"]["volumes"]


def test_twice_changes_nothing_and_a_new_password_is_copied(
    bare: EnrolledCity, folder: Path, capsys: Any
) -> None:
    words = (*NAME, "--store", "influxdb", "--compose", str(folder))
    assert bare.setup(*words) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert bare.setup("--compose", str(folder)) == 0
    said = capsys.readouterr().out
    assert "没有要做的" in said or "nothing to do" in said
    assert f"docker compose -f {folder / 'compose.yaml'} up -d --build --force-recreate" in said
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    password = Path(values(folder)["SCHOOLPULSE_SETTINGS"]).with_name("mqtt.password")
    password.chmod(0o600)
    password.write_text("another\n")
    assert bare.setup("--compose", str(folder)) == 0
    assert (folder / "secrets/mqtt.password").read_text() == "another\n"


def test_dry_run_writes_nothing(bare: EnrolledCity, folder: Path) -> None:
    words = (*NAME, "--store", "influxdb", "--compose", str(folder), "--dry-run")
    assert bare.setup(*words) == 0
    assert [path.name for path in folder.iterdir()] == ["compose.yaml"]


def test_what_cannot_be_is_refused(
    bare: EnrolledCity, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert bare.setup(*NAME, "--store", "influxdb", "--compose", str(tmp_path)) == 2
    assert "deploy" in capsys.readouterr().err
    assert bare.setup(*NAME, "--compose", str(folder)) == 2
    assert "--store influxdb" in capsys.readouterr().err
    monkeypatch.setattr(compose, "_user", lambda name, otherwise: 107)
    assert bare.setup(*NAME, "--store", "influxdb", "--compose", str(folder)) == 2
    assert "Mosquitto" in capsys.readouterr().err

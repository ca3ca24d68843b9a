"""What is wrong with the data folder: what rests on it is not checked, the rest is."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

import influx_server
import services

from .conftest import Doctor, influx


def test_a_missing_data_folder_keeps_nothing_from_being_set_up_that_lies_elsewhere(
    tmp_path: Path, doctor: Doctor
) -> None:
    folder, gone = tmp_path / "influx", tmp_path / "gone"
    folder.mkdir()
    with influx_server.bare_influx(folder) as url:
        found = doctor(influx(url), folder=gone)
        assert not found["data folder"]["ok"]
        assert not found["buckets"]["ok"]
        assert not gone.exists()
        assert "register" in found["not checked"]["detail"]
        found = doctor(influx(url), "--fix", folder=gone)
        assert found["data folder"]["ok"]
        assert found["buckets"]["ok"]
        assert gone.is_dir()
        assert "not checked" not in found


@pytest.mark.parametrize("kind", ["influxdb", "sqlite"])
def test_a_data_folder_that_cannot_be_made_ends_the_checks_that_rest_on_it(
    tmp_path: Path, doctor: Doctor, kind: str
) -> None:
    """Each is named as not checked, none is called well, and what lies elsewhere goes on."""
    (tmp_path / "file").write_text("")
    folder, gone = tmp_path / "influx", tmp_path / "file/data"
    folder.mkdir()
    with influx_server.bare_influx(folder) as url:
        found = doctor(influx(url) if kind == "influxdb" else "", "--fix", folder=gone)
    assert found["data folder"]["ok"] is False
    assert found["data folder"]["fix"]
    assert found["not checked"]["ok"] is None
    left = {"disk", "register", "quarantine", "held reports", "keeper", "schools", "delivery"}
    assert not left & set(found)
    for name in left:
        assert name in found["not checked"]["detail"]
    assert ("store" in found["not checked"]["detail"]) is (kind == "sqlite")
    assert ("store" in found) is (kind == "influxdb")
    assert {"broker", "measurement server"} <= set(found)
    if kind == "influxdb":
        assert found["buckets"]["ok"]
        assert found["store"]["ok"]


def test_a_full_disk_advises_to_free_room_and_nothing_else(
    tmp_path: Path, data: Path, doctor: Doctor
) -> None:
    with services.small_disk(tmp_path / "disk") as disk:
        shutil.copy(data / "register.db", disk / "register.db")
        services.fill(disk)
        found = doctor(folder=disk)
    assert not found["disk"]["ok"]
    wrong = {name: check for name, check in found.items() if check["ok"] is False}
    assert {"disk", "store"} <= set(wrong)
    for name in {"disk", "store", "register", "quarantine", "held reports"} & set(wrong):
        assert "free room" in wrong[name]["fix"], wrong[name]
        assert "import" not in wrong[name]["detail"] + wrong[name]["fix"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_register_that_this_user_may_not_read(data: Path, doctor: Doctor) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are for one user
        folder = Path(name)
        folder.chmod(0o777)
        shutil.copy(data / "register.db", folder)
        (folder / "register.db").chmod(0o600)
        check = doctor(folder=folder, user="65534")["register"]
    assert check["ok"] is False
    assert "root" in check["fix"]
    assert "chown" in check["fix"]
    assert "import" not in check["detail"] + check["fix"]

"""`release` as root: what it makes is the service's, but for the key; and one key a city."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import main
from collector.cli import COMMANDS
from collector.release import key

OTHER = 65534
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to hand files over"
)


class City:
    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir()
        self.settings = folder / "collector.toml"
        self.settings.write_text(f'data = "{self.data}"\n')
        self.package = folder / "package.zip"
        with zipfile.ZipFile(self.package, "w") as archive:
            archive.writestr("schoolpulse-agent/wheels/schoolpulse-0.3.0-py3-none-any.whl", "x")

    def run(self, *words: str | Path) -> int:
        own = ["--config", str(self.settings)]
        return main("schoolpulse", COMMANDS, ["release", *map(str, words), *own], version="0")

    def add(self, *words: str | Path, version: str = "0.3.0") -> int:
        return self.run("add", self.package, "--version", version, *words)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


@as_root
def test_what_root_makes_is_the_services_but_for_the_key(city: City) -> None:
    os.chown(city.data, OTHER, OTHER)
    assert city.run("key") == 0
    assert city.add() == 0
    assert city.run("stage", "0.3.0", "--all") == 0
    owners = {path.name: path.stat().st_uid for path in city.data.rglob("*")}
    assert owners.pop("release.key") == 0
    assert {"releases.db", "releases", "manifest.json", "release.pub"} <= set(owners)
    assert set(owners.values()) == {OTHER}
    assert (city.data / "release.key").stat().st_mode & 0o077 == 0


def test_bundles_know_a_key_that_lives_elsewhere(city: City, tmp_path: Path) -> None:
    stick = tmp_path / "stick/release.key"
    assert city.run("key", "--key", stick) == 0
    assert not (city.data / "release.key").exists()
    assert key.known(city.data) == key.public(stick)
    assert city.add("--key", stick) == 0


def test_a_key_of_a_former_version_is_known_without_its_public_half(city: City) -> None:
    public = key.make(city.data / "release.key")
    assert key.known(city.data) == public
    assert city.add() == 0
    assert (city.data / "release.pub").read_text().strip() == public


def test_another_key_signs_nothing_unless_it_takes_the_place(
    city: City, tmp_path: Path, capsys: Any
) -> None:
    assert city.run("key") == 0
    before = key.known(city.data)
    other = tmp_path / "other.key"
    assert city.run("key", "--key", other) == 2
    assert "--replace" in capsys.readouterr().err
    assert city.add("--key", other) == 2
    assert not (city.data / "releases").exists()
    assert key.known(city.data) == before
    assert city.run("key", "--key", other, "--replace") == 0
    assert key.known(city.data) == key.public(other) != before
    assert city.add("--key", other) == 0


def test_a_public_half_that_is_none_is_told(city: City, capsys: Any) -> None:
    (city.data / "release.pub").write_text("no key\n")
    assert city.run("key") == 2
    assert "release.pub" in capsys.readouterr().err

"""A city with something of everything, and `schoolpulse` run on it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backup_city import KEY, PASSPHRASE, RENEWAL, SECRETS, Place, Run
from collector import cli
from collector.roster.book import attachments
from collector.service.pipeline.quarantine import Quarantine, Row


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`schoolpulse …`; its exit code."""

    def run(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["schoolpulse", *map(str, words)])
        try:
            return cli.main()
        except SystemExit as ended:
            return int(ended.code or 0)

    return run


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a register and rows of two schools."""
    folder = tmp_path_factory.mktemp("simulated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCHOOLPULSE_DATA", str(folder))
        patch.setattr("sys.argv", ["schoolpulse", "simulate", "--schools", "2", "--days", "12"])
        assert cli.main() == 0
    return folder


@pytest.fixture
def place(tmp_path: Path, simulated: Path) -> Place:
    """A city that holds a file of every kind."""
    made = Place(tmp_path / "city")
    shutil.copytree(simulated, made.data)
    for name, text in SECRETS.items():
        path = made.settings.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o400)
    (made.settings.parent / "ca.pem").write_text("certificate")
    keys = made.root / "keys"
    for path, text in ((keys / "9901020001.key", KEY), (made.data / "renewals/1.json", RENEWAL)):
        path.parent.mkdir()
        path.write_text(text)
    made.settings.write_text(
        f'# a comment\ndata = "{made.data}"\n[mqtt]\npassword_file = "mqtt.password"\n'
        f'ca = "{made.settings.parent}/ca.pem"\n[lines]\nkeys = "{keys}"\n'
    )
    with closing(Quarantine(made.data / "quarantine.db", 10**6)) as quarantine:
        quarantine.add([Row(5, "topic", b"junk \xff", "unreadable")])
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo")
    attachments.keep(made.data / "register.db", photo)
    (made.data / "archives").mkdir()
    (made.data / "archives/2025.sha256").write_bytes(b"frozen")
    for name, text in (("enrol.db", "secret-of-a-school"), ("days.db", "2026-11-27")):
        with closing(sqlite3.connect(made.data / name)) as base:
            base.execute("CREATE TABLE kept (value TEXT)")
            base.execute("INSERT INTO kept VALUES (?)", (text,))
            base.commit()
    return made


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """The file of the passphrase."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def figure(run: Run, capsys: pytest.CaptureFixture[str]) -> Callable[[Place], Any]:
    """The figure of a city, as JSON."""

    def figure(place: Place) -> Any:
        capsys.readouterr()
        assert run("figure", "--json", "--simulated", "--config", place.settings) == 0
        return json.loads(capsys.readouterr().out)

    return figure


@pytest.fixture
def other(tmp_path: Path) -> Place:
    """Where it is restored to; a folder within the folder of the settings."""
    return Place(tmp_path / "city/etc/other")

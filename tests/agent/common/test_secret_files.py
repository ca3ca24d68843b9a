"""Secrets in files, on both sides: what is wrong with one is told, and never a traceback."""

from __future__ import annotations

import codecs
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli import COMMANDS
from agent.common import secret_files, settings
from agent.common.settings import SettingsError
from agent.config import Config as Agent
from collector import secret_files as city
from collector.cli import COMMANDS as CITY
from collector.config import Config as City
from folders import enterable

SECRET = "k" * 64
#: The measurement server's are of its own settings; the pages' file holds a table of users.
_OTHERS = {row.setting for row in city.CITY if row.units == ("lineserver",)} | {"web.password_file"}
SIDES = [
    *((Agent, row) for row in secret_files.AGENT),
    *((City, row) for row in city.CITY if row.setting not in _OTHERS),
]
ROOT = os.geteuid() == 0 if hasattr(os, "geteuid") else False
NOBODY = 61_234


def written(folder: Path, row: secret_files.SecretFile, name: str) -> Path:
    """Settings that name the secret's file."""
    table, key = row.setting.split(".")
    file = folder / "settings.toml"
    file.write_text(f'[{table}]\n{key} = "{name}"\n')
    return file


def value(config: Agent | City, row: secret_files.SecretFile) -> str:
    """The secret as those read it who need it."""
    table, key = row.setting.split(".")
    found = getattr(config, table)
    if hasattr(found, "secret"):
        return str(found.secret())
    read = getattr(found, key.removesuffix("_file"))()
    return read if isinstance(read, str) else read.hex()


def hexed(row: secret_files.SecretFile) -> str:
    return "ab" * 32 if row.setting.startswith("identity") else SECRET


@pytest.mark.parametrize(("kind", "row"), SIDES)
def test_a_name_is_meant_from_the_folder_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Agent | City], row: object
) -> None:
    assert isinstance(row, secret_files.SecretFile)
    file = written(tmp_path, row, row.file)
    (tmp_path / row.file).write_text(hexed(row))
    (tmp_path / row.file).chmod(0o400)
    monkeypatch.chdir("/")
    config, warnings = settings.load(kind, file, {})
    assert (value(config, row), warnings) == (hexed(row), [])
    (tmp_path / "elsewhere").write_text(hexed(row).replace("a", "c").replace("k", "m"))
    config, _ = settings.load(kind, file, {row.variable: str(tmp_path / "elsewhere")})
    assert value(config, row) != hexed(row)


AS_SAVED: dict[str, Callable[[str], bytes]] = {
    "BOM": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16, bare": lambda text: text.encode("utf-16-le"),
}


@pytest.mark.parametrize("saved", AS_SAVED)
@pytest.mark.parametrize(("kind", "row"), SIDES)
def test_as_windows_saves_it(
    tmp_path: Path, saved: str, kind: type[Agent | City], row: secret_files.SecretFile
) -> None:
    (tmp_path / row.file).write_bytes(AS_SAVED[saved](hexed(row) + "\r\n"))
    config, _ = settings.load(kind, written(tmp_path, row, row.file), {})
    assert value(config, row) == hexed(row)


BAD: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "empty": lambda path: path.touch(),
    "blank": lambda path: path.write_bytes(codecs.BOM_UTF8 + b" \r\n"),
    "lines": lambda path: path.write_text("one\ntwo\n"),
    "bytes": lambda path: path.write_bytes(bytes(range(256))),
    "loop": lambda path: path.symlink_to(path.name),
    "huge": lambda path: path.write_bytes(b"a" * (5 << 20)),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("by", ["file", "environment"])
@pytest.mark.parametrize(("kind", "row"), SIDES)
def test_what_is_no_secret_is_an_error_with_setting_and_file(
    tmp_path: Path, bad: str, by: str, kind: type[Agent | City], row: secret_files.SecretFile
) -> None:
    path = tmp_path / row.file
    BAD[bad](path)
    environ = {row.variable: str(path)} if by == "environment" else {}
    file = written(tmp_path, row, row.file) if by == "file" else None
    with pytest.raises(SettingsError) as raised:
        value(settings.load(kind, file, environ)[0], row)
    said = str(raised.value)
    assert str(path) in said
    assert row.setting in said or row.variable in said
    assert "Errno" not in said


@pytest.mark.parametrize(("mode", "owner", "told"), [
    (0o400, 0, False), (0o600, 0, False), (0o640, 0, False), (0o440, 0, False),
    (0o644, 0, True), (0o604, 0, True), (0o660, 0, True), (0o640, NOBODY, True),
    (0o402, 0, True),
])  # fmt: skip
@pytest.mark.skipif(not ROOT, reason="only root can give files away")
def test_what_others_can_read_is_a_warning_with_the_fix(
    tmp_path: Path, mode: int, owner: int, told: bool
) -> None:
    for kind, row in SIDES:
        path = tmp_path / row.file
        path.write_text(hexed(row))
        os.chown(path, owner, 0)
        path.chmod(mode)
        _, warnings = settings.load(kind, written(tmp_path, row, row.file), {})
        assert [f"chmod 0400 {path}" in text for text in warnings] == ([True] if told else [])


def test_a_password_that_changes_is_read_again_and_kept_while_its_file_is_away(
    tmp_path: Path,
) -> None:
    row = secret_files.AGENT[0]
    path = tmp_path / row.file
    path.write_text("one")
    config, _ = settings.load(Agent, written(tmp_path, row, row.file), {})
    assert config.broker.secret() == "one"
    path.write_text("two")
    assert config.broker.secret() == "two"
    path.unlink()
    assert config.broker.secret() == "one"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    row = secret_files.AGENT[0]
    file = written(tmp_path, row, "none")
    config, _ = settings.load(Agent, file, {"SCHOOLPULSE_BROKER_PASSWORD": "mine"})
    assert config.broker.secret() == "mine"


@pytest.mark.skipif(not ROOT, reason="only root can take other rights")
def test_who_may_not_read_a_secret_can_do_what_needs_none(tmp_path: Path) -> None:
    """The register is imported by a user who has no broker password; `collect` says what it lacks.

    As a user of no rights, in a process of its own.
    """
    code = """
import sys, os
from agent.common import settings
from collector.config import Config
from pathlib import Path
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
config, warnings = settings.load(Config, Path(sys.argv[1]), {})
print(config.mqtt.password == "", warnings)
try:
    config.mqtt.secret()
except settings.SettingsError as error:
    print(error)
"""
    row = city.CITY[0]
    (tmp_path / row.file).write_text(SECRET)
    (tmp_path / row.file).chmod(0o400)
    enterable(tmp_path)
    file = written(tmp_path, row, row.file)
    file.chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-c", code, str(file), str(NOBODY)], capture_output=True, text=True
    )
    free, refused = done.stdout.splitlines()
    assert free == "True []", done.stderr
    assert row.file in refused
    assert "root" in refused


def _plain(commands: object) -> list[str]:
    """Commands that run with nothing but settings."""
    wanted = {"status", "outbox", "doctor", "run", "once", "line", "uninstall", "prepare-image",
              "collect", "lineserver", "figure", "faults", "machines", "equipment"}  # fmt: skip
    return sorted(wanted & set(commands))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("program", "row", "command"),
    [("agent.cli", secret_files.AGENT[0], command) for command in _plain(COMMANDS)]
    + [("collector.cli", row, command) for row in city.CITY[:1] for command in _plain(CITY)],
)
def test_no_command_ends_in_a_traceback(
    tmp_path: Path, program: str, row: secret_files.SecretFile, command: str
) -> None:
    file = written(tmp_path, row, row.file)
    file.write_text(f'data = "{tmp_path}/data"\n' + file.read_text())
    (tmp_path / row.file).mkdir()
    words = [sys.executable, "-m", program, command, "--config", str(file)]
    if command == "machines":
        words[4:4] = ["list"]
    if command == "uninstall":
        words += ["--purge"]
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path), "SCHOOLPULSE_LANG": "en"}
    done = subprocess.run(words, capture_output=True, text=True, env=environ, timeout=120)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert done.returncode in (1, 2), said
    assert re.search(rf"{row.setting}: .*{row.file}", said)


@pytest.mark.skipif(not ROOT, reason="only root can take other rights")
def test_a_folder_of_settings_that_is_roots_alone_is_told_to_others(tmp_path: Path) -> None:
    """As `install` leaves it: an ordinary user's `status` says why it knows nothing."""
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "agent.toml").write_text('school = "9963020001"\n')
    enterable(tmp_path)
    etc.chmod(0o700)
    code = """
import os, sys
from pathlib import Path
from agent import config
from agent.common.settings import SettingsError
config.DEFAULT_FILE = Path(sys.argv[1])
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    config.load(None)
except SettingsError as error:
    print(error)
"""
    words = [sys.executable, "-c", code, str(etc / "agent.toml"), str(NOBODY)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert str(etc / "agent.toml") in done.stdout, done.stderr
    assert "root" in done.stdout


@pytest.mark.skipif(not ROOT, reason="modes say nothing elsewhere")
def test_the_password_of_a_listed_device_counts_too(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('devices = [{ host = "192.0.2.7", password_file = "pjlink.password" }]\n')
    (tmp_path / "pjlink.password").write_text("secret")
    (tmp_path / "pjlink.password").chmod(0o644)
    config, warnings = settings.load(Agent, file, {})
    assert config.devices[0].password_file == str(tmp_path / "pjlink.password")
    assert ["chmod 0400" in text for text in warnings] == [True]

"""A school's bundle: read from its zip or an unpacked folder, and checked as a whole.

Nothing of it is used before all of it is found good: the files that belong there and no others, of
a sane size, all of one school, the CA a CA, the keys keys.
"""

from __future__ import annotations

import re
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from agent import config as settings
from agent.common import secret_files, textfile
from agent.common.command_line import RefusedError
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.config import Config

ROOMS = "rooms.csv"
_MOST_BYTES, _MOST_FILES, _LARGEST = 1 << 20, 32, 8 << 20
_NAMED = re.compile(r"schoolpulse-([0-9]{10})\b")


class Bundle(NamedTuple):
    """A bundle that was found good."""

    config: Config
    files: dict[str, bytes]  # by name; what is installed

    @property
    def school(self) -> str:
        """Whose it is."""
        return self.config.school


def read(path: Path) -> Bundle:
    """The bundle at `path`, a zip or a folder.

    Raises:
        RefusedError: it is none, or not whole, or mixed; the message has the fix.
    """
    try:
        files = dict(_folder(path) if path.is_dir() else _zipped(path))
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or error}") from error
    lacking = [name for name in secret_files.agent_files() if name not in files]
    if lacking:
        raise _bad(path, say(f"里没有 {'、'.join(lacking)}", f"lacks {', '.join(lacking)}"))
    config = _checked(path, files)
    return Bundle(config, files)


def _bad(path: Path, what: str) -> RefusedError:
    fix = say("；请重新下载这所学校的配置包", "; get this school's bundle again")
    return RefusedError(say(f"{path} {what}{fix}", f"{path} {what}{fix}"))


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    found = sorted(path.iterdir())
    if len(found) > _MOST_FILES:
        raise _bad(path, say("不是配置包：文件太多", "is no bundle: it has too many files"))
    for file in found:
        if _wanted(path, file.name):
            if file.is_symlink() or not file.is_file():
                raise _bad(
                    path, say(f"里的 {file.name} 不是文件", f"has a {file.name} that is no file")
                )
            with file.open("rb") as opened:
                yield file.name, _limited(path, file.name, opened.read)


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    import zipfile  # an agent at rest needs none

    if path.stat().st_size > _LARGEST:
        raise _bad(path, say("太大，不是配置包", "is too large for a bundle"))
    seen = set()
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > _MOST_FILES:
                raise _bad(path, say("不是配置包：文件太多", "is no bundle: it has too many files"))
            for info in archive.infolist():
                if not _wanted(path, info.filename):
                    continue
                if info.filename in seen:
                    twice = say(f"里有两个 {info.filename}", f"has {info.filename} twice")
                    raise _bad(path, twice)
                seen.add(info.filename)
                with archive.open(info) as opened:
                    yield info.filename, _limited(path, info.filename, opened.read)
    except _unsound() as error:
        raise _bad(path, say(f"不是完好的 zip：{error}", f"is no sound zip: {error}")) from error


def _unsound() -> tuple[type[Exception], ...]:
    """What zipfile raises for a file that is hurt, encrypted or compressed in another way."""
    import lzma
    import struct
    import zipfile
    import zlib

    return (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
        OverflowError, RuntimeError, ValueError,
    )  # fmt: skip


def _limited(path: Path, name: str, read: Callable[[int], bytes]) -> bytes:
    data = read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise _bad(path, say(f"里的 {name} 太大", f"has a {name} that is too large"))
    return data


def _wanted(path: Path, name: str) -> bool:
    """Whether the file is installed; the page for people is not.

    Raises:
        RefusedError: no bundle has such a file, one with a folder in its name least of all.
    """
    if name in (*secret_files.agent_files(), ROOMS):
        return True
    if name.endswith(".html") and not re.search(r"[/\\:]", name):
        return False
    raise _bad(path, say(f"里有不该有的 {name!r}", f"has {name!r}, which no bundle has"))


def _checked(path: Path, files: Mapping[str, bytes]) -> Config:
    """The settings of the bundle; raises RefusedError where anything does not fit."""
    with tempfile.TemporaryDirectory(prefix="schoolpulse-") as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / file).touch(0o600)
            (folder / file).write_bytes(data)
        try:
            config, _ = settings.load(str(folder / secret_files.SETTINGS), environ={})
            _check_names(config, folder)
            config.line.key()
            config.identity.source_key()
        except (SettingsError, ValueError) as error:
            raise _bad(path, ": " + str(error).replace(f"{folder}/", "")) from error
    _check_school(path, config)
    _check_ca(path, files[secret_files.CA])
    return config


def _check_names(config: Config, folder: Path) -> None:
    """Raise ValueError unless the settings name the bundle's own files."""
    named = {secret.setting: secret.file for secret in secret_files.AGENT}
    for setting, file in {**named, "broker.ca": secret_files.CA}.items():
        table, _, key = setting.partition(".")
        found = getattr(getattr(config, table), key)
        if found != str(folder / file):
            raise ValueError(
                say(
                    f"agent.toml 的 {setting} 应是 {file}",
                    f"{setting} in agent.toml must be {file}",
                )
            )


def _check_school(path: Path, config: Config) -> None:
    """Raise RefusedError where files of several schools were mixed."""
    named = _NAMED.search(path.name)
    told = {config.broker.username.partition("-")[0], *(named.groups() if named else ())}
    for other in told - {config.school}:
        mixed = say(
            f"混有两所学校的文件：{config.school} 和 {other or '空用户名'}",
            f"mixes two schools: {config.school} and {other or 'an empty user name'}",
        )
        raise _bad(path, mixed)


def _check_ca(path: Path, data: bytes) -> None:
    try:
        text = data.decode("ascii")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=text)
        found = context.cert_store_stats()["x509_ca"]
    except (ValueError, ssl.SSLError) as error:
        text, found = "", 0
        why = str(error)
    else:
        why = say("里面没有 CA 证书", "it has no certificate of a CA")
    if "PRIVATE KEY" in text:
        raise _bad(path, say("的 ca.pem 里有私钥", "has a private key in ca.pem"))
    if not found or text.count("BEGIN CERTIFICATE") != found:
        raise _bad(path, say(f"的 ca.pem 不能用：{why}", f"has a ca.pem that is no good: {why}"))


def rooms(bundle: Bundle) -> list[str]:
    """The rooms that the bundle names, as the register calls them; empty where it has no list."""
    if ROOMS not in bundle.files:
        return []
    import csv

    with tempfile.TemporaryDirectory(prefix="schoolpulse-") as folder:
        file = Path(folder, ROOMS)
        file.write_bytes(bundle.files[ROOMS])
        lines = textfile.read(file).splitlines()
    return [row[0].strip() for row in list(csv.reader(lines))[1:] if row and row[0].strip()]

"""A bundle is used as a whole or not at all: what is wrong with it, and the fix."""

from __future__ import annotations

import secrets
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import bundles
from agent.common.command_line import RefusedError
from agent.service import bundle

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return bundles.files(tmp_path_factory.mktemp("ca"))


def test_a_bundle_as_zip_and_unpacked(made: Files, tmp_path: Path) -> None:
    zipped = bundle.read(bundles.write(tmp_path / f"schoolpulse-{bundles.SCHOOL}.zip", made))
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, data in made.items():
        (folder / name).write_bytes(data)
    unpacked = bundle.read(folder)
    assert zipped.files == unpacked.files
    assert zipped.school == unpacked.school == bundles.SCHOOL
    assert set(zipped.files) == set(made) - {"安装说明.html"}
    assert bundle.rooms(zipped) == list(bundles.ROOMS)


def test_a_later_credential_of_the_school_is_its_own(made: Files, tmp_path: Path) -> None:
    later = bundles.settings(username=f"{bundles.SCHOOL}-2").encode()
    found = bundle.read(bundles.write(tmp_path / "b.zip", {**made, "agent.toml": later}))
    assert found.config.broker.username == f"{bundles.SCHOOL}-2"


def test_two_cas_are_a_ca_that_is_being_replaced(made: Files, tmp_path: Path) -> None:
    both = made["ca.pem"] + bundles.ca(tmp_path, "next")[0].read_bytes()
    assert bundle.read(bundles.write(tmp_path / "b.zip", {**made, "ca.pem": both}))


def _settings(**words: str) -> Callable[[Files], Files]:
    return lambda found: {**found, "agent.toml": bundles.settings(**words).encode()}


def _edited(old: str, new: str) -> Callable[[Files], Files]:
    def edit(found: Files) -> Files:
        text = found["agent.toml"].decode()
        assert old in text
        return {**found, "agent.toml": text.replace(old, new).encode()}

    return edit


def _with(name: str, data: bytes) -> Callable[[Files], Files]:
    return lambda found: {**found, name: data}


def _without(name: str) -> Callable[[Files], Files]:
    return lambda found: {key: data for key, data in found.items() if key != name}


BAD = [
    (_without("line.key"), "line.key"),
    (_without("agent.toml"), "agent.toml"),
    (_with("../agent.toml", b""), "'../agent.toml'"),
    (_with("/etc/passwd", b""), "'/etc/passwd'"),
    (_with("C:\\x.html", b""), "x.html"),
    (_with("sub/line.key", b""), "sub/line.key"),
    (_with("other.key", b""), "other.key"),
    (_with("broker.password", b" \n"), "broker.password"),
    (_with("broker.password", b"one\ntwo\n"), "broker.password"),
    (_with("line.key", b"short"), "line.key"),
    (_with("source.key", b"g" * 64), "source.key"),
    (_with("rooms.csv", b"a" * (1 << 21)), "rooms.csv"),
    (_with("ca.pem", b""), "ca.pem"),
    (_with("ca.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "ca.pem"),
    (_settings(school="996302000"), "996302000"),
    (_settings(school="9963020002", username="9963020001"), "9963020001"),
    (_settings(username="9963020002-3"), "9963020002"),
    (_settings(username="collector"), "collector"),
    (_edited('"broker.password"', '"/etc/shadow"'), "broker.password_file"),
    (_edited('"ca.pem"', '"../ca.pem"'), "broker.ca"),
    (_edited("[line]", "[line"), "TOML"),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_what_is_no_good_is_refused_by_name(
    made: Files, tmp_path: Path, spoil: Callable[[Files], Files], said: str
) -> None:
    path = bundles.write(tmp_path / "b.zip", spoil(made))
    with pytest.raises(RefusedError) as raised:
        bundle.read(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "重新下载" in str(raised.value)


def test_a_private_key_never_lies_beside_the_ca(made: Files, tmp_path: Path) -> None:
    pem, key = bundles.ca(tmp_path)
    both = {**made, "ca.pem": pem.read_bytes() + key.read_bytes()}
    with pytest.raises(RefusedError, match="私钥"):
        bundle.read(bundles.write(tmp_path / "b.zip", both))


def test_the_file_of_another_school(made: Files, tmp_path: Path) -> None:
    path = bundles.write(tmp_path / "schoolpulse-9963020009.zip", made)
    with pytest.raises(RefusedError, match="9963020009"):
        bundle.read(path)


def test_files_that_are_no_bundle(made: Files, tmp_path: Path) -> None:
    whole = bundles.write(tmp_path / "whole.zip", made).read_bytes()
    cut, text, empty, huge = (tmp_path / name for name in ("cut.zip", "text", "empty", "huge"))
    cut.write_bytes(whole[: len(whole) // 2])
    text.write_text("school")
    empty.write_bytes(b"")
    huge.write_bytes(bytes(9 << 20))
    (tmp_path / "folder").mkdir()
    for path in (cut, text, empty, huge, tmp_path / "none.zip", tmp_path / "folder"):
        with pytest.raises(RefusedError, match=path.name):
            bundle.read(path)


def test_a_zip_whose_bytes_were_hurt(made: Files, tmp_path: Path) -> None:
    whole = bundles.write(tmp_path / "whole.zip", made).read_bytes()
    for at in range(0, len(whole), 37):
        path = tmp_path / "hurt.zip"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            found = bundle.read(path)
        except RefusedError:
            continue
        assert found.files == {name: made[name] for name in found.files}


def test_a_bomb_and_a_file_twice(made: Files, tmp_path: Path) -> None:
    bomb = bundles.write(tmp_path / "bomb.zip", {**made, "line.key": bytes(1 << 28)})
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(RefusedError, match="太大"):
        bundle.read(bomb)
    twice = bundles.write(tmp_path / "twice.zip", made)
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("line.key", secrets.token_hex(32))
    with pytest.raises(RefusedError, match=r"两个 line\.key"):
        bundle.read(twice)


def test_a_link_in_a_folder_is_no_file_of_the_bundle(made: Files, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, data in made.items():
        (folder / name).write_bytes(data)
    (folder / "line.key").unlink()
    (folder / "line.key").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(made["line.key"])
    with pytest.raises(RefusedError, match=r"line\.key"):
        bundle.read(folder)


def test_nothing_of_a_bundle_stays_in_the_temporary_folder(
    made: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    bundle.read(bundles.write(tmp_path / "b.zip", made))
    with pytest.raises(RefusedError):
        bundle.read(bundles.write(tmp_path / "c.zip", {**made, "line.key": b"x"}))
    assert list((tmp_path / "tmp").iterdir()) == []
    assert stat.S_ISDIR((tmp_path / "tmp").stat().st_mode)

"""Root's helper: what it takes from a folder that is another user's, and how it goes back."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.update import helper, install_linux
from agent.update.helper import Setup
from agent.update.install_linux import Installer, Result
from agent.update.programs import Programs
from agent.update.switching import Places
from agent.update.theirs import Theirs, TheirsOnWindows
from agent.version import VERSION
from agent.wire.release import Manifest, ReleaseFile
from collector.release import key

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's way")
NEW = "9.9.9"
PACKAGE = b"a package " * 1000


class Faked(Programs):
    """Builds a folder with the version's name; `at_restart` is the agent that starts anew."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.started: list[str] = []
        self.ends = 0
        self.at_restart: Callable[[], None] = lambda: None
        self.prefix = Path()

    def build(self, package: Path, target: Path, version: str, work: Path) -> None:
        assert package.read_bytes() == PACKAGE
        assert package.stat().st_mode & 0o077 == 0
        target.mkdir()
        (target / "version").write_text(version)
        self.built.append(version)

    def restart(self) -> None:
        self.started.append((self.prefix / "version").read_text())
        self.at_restart()

    def restarts(self) -> int:
        return self.ends

    def wait(self, seconds: float) -> None:
        self.ends += 1  # as systemd counts a service that ends again and again


class Pc:
    """A PC with VERSION installed, as install.sh leaves it, and a request in the agent's folder."""

    def __init__(self, folder: Path) -> None:
        self.setup = Setup(
            folder / "state", folder / "own", folder / "opt/schoolpulse", folder / "agent.toml"
        )
        self.setup.prefix.mkdir(parents=True)
        (self.setup.prefix / "version").write_text(VERSION)
        self.key = folder / "release.key"
        self.setup.settings.write_text(key.settings_row(key.make(self.key)))
        self.update = self.setup.state / "update"
        self.update.mkdir(parents=True)
        self.programs = Faked()
        self.programs.prefix = self.setup.prefix
        self.installer = Installer(self.update, self.setup.own)
        self.package = self.update / hashlib.sha256(PACKAGE).hexdigest()
        self.package.write_bytes(PACKAGE)

    def signed(self, serial: int = 5, withdrawn: tuple[str, ...] = ()) -> bytes:
        file = ReleaseFile(NEW, "linux", self.package.name, len(PACKAGE))
        files = () if withdrawn else (file,)
        return key.sign(self.key, Manifest(v=1, serial=serial, files=files, withdrawn=withdrawn))

    def ask(self, signed: bytes | None = None) -> None:
        self.installer.install(self.package, signed or self.signed(), NEW)

    def run(self) -> int:
        return helper.run(self.setup, self.programs)

    def in_use(self) -> str:
        return (self.setup.prefix / "version").read_text()

    def result(self) -> Result:
        return msgspec.json.decode((self.setup.own / "result.json").read_bytes(), type=Result)


@pytest.fixture
def pc(tmp_path: Path) -> Pc:
    return Pc(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_the_settings_are_read_as_windows_tools_save_them(pc: Pc, encoding: str) -> None:
    text = "# 西宁市示例小学\n" + pc.setup.settings.read_text()
    pc.setup.settings.write_bytes(text.encode(encoding))
    pc.programs.at_restart = lambda: pc.installer.confirm(NEW)
    pc.ask()
    assert pc.run() == 0
    assert (pc.in_use(), pc.result()) == (NEW, Result(NEW))


def test_where_nothing_was_ever_asked_for_there_is_nothing_to_confirm(tmp_path: Path) -> None:
    Installer(tmp_path / "update", tmp_path / "own").confirm(VERSION)
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_reports_stays(pc: Pc) -> None:
    pc.programs.at_restart = lambda: pc.installer.confirm(NEW)
    pc.ask()
    assert pc.run() == 0
    assert (pc.in_use(), pc.programs.started, pc.result()) == (NEW, [NEW], Result(NEW))
    assert pc.setup.prefix.is_symlink()
    steady = pc.setup.prefix.with_name("schoolpulse-steady")
    assert (steady / "version").read_text() == NEW
    kept = pc.setup.prefix.with_name(f"schoolpulse-{VERSION}")
    assert (kept / "version").read_text() == VERSION
    assert pc.run() == 0, "nothing is asked for"
    assert pc.programs.built == [NEW]


def test_a_version_that_is_in_use_and_asked_for_again_is_no_failure(pc: Pc) -> None:
    pc.installer.install(pc.package, pc.signed(), VERSION)
    assert pc.run() == 0
    assert (pc.in_use(), pc.result()) == (VERSION, Result(VERSION))
    assert not (pc.update / install_linux.REQUEST).exists()


def test_a_version_that_ends_is_taken_back_and_never_installed_again(pc: Pc) -> None:
    pc.ask()
    assert pc.run() == 1
    assert (pc.in_use(), pc.programs.started) == (VERSION, [NEW, VERSION])
    assert pc.result().code == pc.installer.outcome(NEW) == "rolled_back"
    pc.ask()
    assert pc.run() == 1
    assert pc.programs.built == [NEW]
    assert pc.result().code == "rolled_back"


def test_a_switch_that_fails_leaves_the_former_version(
    pc: Pc, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = Places.switch, list[Path]()

    def switch(self: Places, target: Path) -> None:
        tried.append(target)
        if len(tried) == 1:
            raise OSError("no room")
        real(self, target)

    monkeypatch.setattr(Places, "switch", switch)
    pc.ask()
    assert pc.run() == 1
    assert (pc.in_use(), pc.programs.started) == (VERSION, [VERSION])
    assert pc.result().code == pc.installer.outcome(NEW) == "not_installed"
    assert pc.run() == 0, "nothing is pending"


@pytest.mark.parametrize("kind", [Theirs, TheirsOnWindows])
def test_no_link_of_the_services_folder_is_followed(kind: Any, tmp_path: Path) -> None:
    folder = tmp_path / "update"
    folder.mkdir()
    (folder / "plain").write_bytes(b"1234")
    (folder / "link").symlink_to(folder / "plain")
    (folder / "folder").mkdir()
    (tmp_path / "other").symlink_to(folder)
    with kind(folder) as theirs:
        assert theirs.read("plain", 3) == b"123"
        for name in ("link", "folder", "none"):
            with pytest.raises(OSError, match=name):
                theirs.read(name, 3)
    for name in ("other", "none"):
        with pytest.raises(OSError, match=name):
            kind(tmp_path / name)


def test_a_pc_that_is_switched_off_meanwhile_goes_back_at_its_fourth_start(pc: Pc) -> None:
    class CutError(Exception):
        pass

    def cut() -> None:
        raise CutError

    pc.programs.at_restart = cut
    pc.ask()
    with pytest.raises(CutError):
        pc.run()

    def off(seconds: float) -> None:
        raise CutError

    pc.programs.at_restart = lambda: None
    pc.programs.wait = off  # type: ignore[method-assign]
    for _ in range(helper.STARTS):
        with pytest.raises(CutError):
            pc.run()
        assert pc.in_use() == NEW
    assert pc.run() == 1
    assert pc.in_use() == VERSION


def test_what_is_not_the_citys_is_not_installed(pc: Pc, tmp_path: Path) -> None:
    def refused(why: str, signed: bytes | None = None) -> None:
        pc.ask(signed)
        assert pc.run() == 1
        assert pc.result().code == why
        assert pc.programs.built == []
        assert pc.in_use() == VERSION

    other = tmp_path / "other.key"
    key.make(other)
    file = ReleaseFile(NEW, "linux", pc.package.name, len(PACKAGE))
    refused("signature", key.sign(other, Manifest(v=1, serial=9, files=(file,))))
    refused("withdrawn", pc.signed(6, (NEW,)))
    refused("replayed", pc.signed(5))
    pc.package.write_bytes(PACKAGE + b"x")
    refused("hash", pc.signed(7))
    pc.package.unlink()
    pc.package.symlink_to(pc.setup.settings)
    refused("not_installed", pc.signed(8))
    pc.package.unlink()
    os.mkfifo(pc.package)
    refused("not_installed", pc.signed(9))
    pc.package.unlink()
    pc.package.write_bytes(PACKAGE)
    pc.setup.settings.write_text("")
    refused("signature", pc.signed(10))


def test_a_folder_that_is_a_link_is_not_entered(pc: Pc, tmp_path: Path) -> None:
    pc.ask()
    pc.update.rename(tmp_path / "elsewhere")
    pc.update.symlink_to(tmp_path / "elsewhere")
    assert pc.run() == 0
    assert pc.programs.built == []


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version":"../x","sha256":"y"}', b"\xff" * 2000])
def test_a_request_that_is_none_ends_with_a_word(pc: Pc, data: bytes) -> None:
    pc.ask()
    (pc.update / install_linux.REQUEST).write_bytes(data)
    assert pc.run() == 1
    assert pc.result().code == "not_installed"
    assert not (pc.update / install_linux.REQUEST).exists()

"""One agent's updates: when it looks, what it waits for, what it remembers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import services
from agent.update import memory
from agent.update.install_none import Installer as NoInstaller
from agent.update.updates import Now, Updates, Who
from agent.wire.release import MANIFEST_PATH, Manifest, ReleaseFile, ReleaseOffer
from collector.lineserver.server import LineServer
from collector.release import key

DATA = b"a new version"
SHA = hashlib.sha256(DATA).hexdigest()
FREE = Now(1_700_000_000_000, quiet=True, testing=False, waiting=0, linked=True)


class Installer:
    platform = "linux"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.confirmed: list[str] = []
        self.why = ""

    def ready(self) -> bool:
        return True

    def install(self, file: Path, manifest: bytes, version: str) -> None:
        assert file.read_bytes() == DATA
        self.asked.append(version)

    def confirm(self, version: str) -> None:
        self.confirmed.append(version)

    def outcome(self, version: str) -> str:
        return self.why


class Pc:
    """A server that hands 9.9.9 out, and one agent of 0.2.0."""

    def __init__(self, folder: Path) -> None:
        self.shelf, self.folder = folder / "shelf", folder / "pc"
        self.shelf.mkdir()
        (self.shelf / SHA).write_bytes(DATA)
        self.key = folder / "release.key"
        self.public = key.make(self.key)
        self.server = LineServer("127.0.0.1", 0, lambda _: None, shelf=self.shelf)
        self.server.start()
        self.installer = Installer()
        self.publish()

    def publish(self, serial: int = 3, withdrawn: tuple[str, ...] = ()) -> None:
        file = ReleaseFile("9.9.9", "linux", SHA, len(DATA))
        signed = key.sign(
            self.key, Manifest(v=1, serial=serial, files=(file,), withdrawn=withdrawn)
        )
        (self.shelf / "manifest.json").write_bytes(signed)

    @property
    def offers(self) -> tuple[ReleaseOffer, ...]:
        return (ReleaseOffer("9.9.9", f"http://127.0.0.1:{self.server.port}{MANIFEST_PATH}"),)

    def agent(self, version: str = "0.2.0", public: str | None = None) -> Updates:
        chosen = self.public if public is None else public
        who = Who("ab" * 16, version, chosen, delay_s=0.0)
        return Updates(who, self.folder, self.installer, lambda: None, draw=lambda: 0.0)


@pytest.fixture
def pc(tmp_path: Path) -> Iterator[Pc]:
    made = Pc(tmp_path)
    yield made
    made.server.stop()


def until(agent: Updates, pc: Pc, done: Callable[[], bool]) -> None:
    end = time.monotonic() + services.PATIENCE_S
    while not done():
        assert time.monotonic() < end, agent.state
        agent.turn(FREE._replace(waiting=1), pc.offers)
        time.sleep(0.01)


def test_it_installs_once_the_city_knows(pc: Pc) -> None:
    agent = pc.agent()
    until(agent, pc, lambda: agent.state == "installing:9.9.9")
    agent.turn(FREE, pc.offers)
    assert not pc.installer.asked, "not reported yet"
    agent.said(agent.state)
    for kept in (
        FREE._replace(waiting=1), FREE._replace(linked=False), FREE._replace(quiet=False),
        FREE._replace(testing=True),
    ):  # fmt: skip
        agent.turn(kept, pc.offers)
    assert not pc.installer.asked
    agent.turn(FREE, pc.offers)
    agent.turn(FREE, pc.offers)
    assert pc.installer.asked == ["9.9.9"]
    new = pc.agent("9.9.9")
    assert new.state == "installed:9.9.9"
    new.turn(FREE, pc.offers)
    assert not pc.installer.confirmed
    new.said(new.state)
    new.turn(FREE, pc.offers)
    assert (pc.installer.confirmed, new.state) == (["9.9.9"], "")
    assert pc.agent("9.9.9").state == ""


def test_a_version_that_another_start_installed_is_confirmed_too(pc: Pc) -> None:
    """The helper was cut, this agent's predecessor gave up, and then the helper went on."""
    new = pc.agent("9.9.9")
    assert new.state == ""
    new.turn(FREE._replace(linked=False), ())
    new.turn(FREE._replace(waiting=1), ())
    assert pc.installer.confirmed == []
    new.turn(FREE, ())
    new.turn(FREE, ())
    assert pc.installer.confirmed == ["9.9.9"]


def test_a_stage_that_stops_before_the_installation_is_not_installed(pc: Pc) -> None:
    agent = pc.agent()
    until(agent, pc, lambda: agent.state == "installing:9.9.9")
    agent.said(agent.state)
    agent.turn(FREE, ())
    agent.turn(FREE, ())
    assert (agent.state, pc.installer.asked) == ("", [])


def test_without_a_key_nothing_is_ever_asked_for(pc: Pc) -> None:
    agent = pc.agent(public="")
    for _ in range(50):
        agent.turn(FREE, pc.offers)
    assert agent.state == ""
    assert not pc.folder.exists()


def test_what_fails_says_why_and_an_older_manifest_is_refused(pc: Pc) -> None:
    agent = pc.agent(public=key.make(pc.key.with_name("other.key")))
    until(agent, pc, lambda: agent.state == "failed:signature:9.9.9")
    pc.publish(7, ("9.9.9",))
    agent = pc.agent()
    until(agent, pc, lambda: agent.state == "failed:withdrawn:9.9.9")
    pc.publish(6)
    agent = pc.agent()
    until(agent, pc, lambda: agent.state == "failed:replayed:9.9.9")
    assert memory.read(pc.folder).serial == 7
    (pc.shelf / "manifest.json").unlink()
    agent = pc.agent()
    until(agent, pc, lambda: agent.state == "failed:refused:9.9.9")


def test_a_pc_that_went_back_says_so_and_does_not_try_again(pc: Pc) -> None:
    memory.write(pc.folder, memory.Seen(installing="9.9.9"))
    pc.installer.why = "rolled_back"
    assert pc.agent().state == "failed:rolled_back:9.9.9"
    agent = pc.agent()
    until(agent, pc, lambda: agent.state == "failed:rolled_back:9.9.9")
    assert memory.read(pc.folder).refused == ("9.9.9",)


def test_a_system_without_an_installer_says_so(pc: Pc) -> None:
    who = Who("ab" * 16, "0.2.0", pc.public, delay_s=0.0)
    agent = Updates(who, pc.folder, NoInstaller(), lambda: None, draw=lambda: 0.0)
    until(agent, pc, lambda: agent.state == "failed:no_installer:9.9.9")

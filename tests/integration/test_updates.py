"""200 PCs are updated in stages; a bad version stops at its first; no report is lost."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import services
from agent.mqtt import Callbacks
from agent.update import updates
from agent.wire.release import is_chosen
from collector.config import Config, Lines
from collector.lineserver.server import LineServer
from collector.release import key, shelf
from collector.release.book import FILE, ReleaseBook
from collector.service import Collector
from collector.store.factory import open_store
from updating_fleet import Pc, UpdatingFleet, until

SCHOOLS = ("9900000001", "9900000002", "9900000003", "9900000004")
PCS, PATIENCE_S = 200, 300.0
THREE_DAYS_MS = 3 * 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def add(config: Config, book: ReleaseBook, version: str) -> None:
    """As `schoolpulse release add` does."""
    file = config.folder / f"{version}.zip"
    with zipfile.ZipFile(file, "w") as archive:
        name = f"schoolpulse-agent/wheels/schoolpulse-{version}-py3-none-any.whl"
        archive.writestr(name, version * 100)
    book.add(shelf.put(config.folder / shelf.FOLDER, file, version))
    signed = key.sign(config.folder / key.FILE, book.next_manifest())
    shelf.publish(config.folder / shelf.FOLDER, signed)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        yield running


@pytest.mark.slow
def test_stages_reach_all_and_a_bad_version_stops(
    broker: Any, kit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "_PAUSE_S", 0.1)  # all of them share one address here
    folder = tmp_path / "city"
    server = LineServer("127.0.0.1", 0, lambda _: None, shelf=folder / shelf.FOLDER)
    settings = Config(data=str(folder), mqtt=kit.Broker(port=broker.port), accept_simulated=True)
    lines = Lines(server=f"http://127.0.0.1:{server.port}")
    config = msgspec.structs.replace(settings, lines=lines)
    public = key.make(folder / key.FILE)
    book = ReleaseBook(folder / FILE)
    store = open_store(config)
    collector = Collector(config, store, lambda: kit.register(*SCHOOLS))

    def callbacks(pc: Pc) -> Callbacks:
        def policy(new: Any) -> None:
            pc.policy = new
            pc.fleet.wake.set()

        return Callbacks(policy, lambda _: pc.fleet.wake.set())

    (tmp_path / "pcs").mkdir()
    fleet = UpdatingFleet(config.mqtt, tmp_path / "pcs", public, {"0.4.0"}, callbacks)
    server.start()
    collector.start()
    try:
        assert collector.wait_up(PATIENCE_S)
        fleet.start(SCHOOLS, PCS, "0.2.0")
        few = {pc.machine for pc in fleet.pcs if is_chosen(pc.machine, "0.3.0", 5)}
        assert 2 <= len(few) < PCS / 5
        add(config, book, "0.3.0")

        book.stage("0.3.0", (), 5, now_ms())
        at_new = lambda version: {m for m, v in fleet.versions().items() if v == version}  # noqa: E731
        back = lambda: {pc.machine for pc in fleet.pcs if pc.confirmed == "0.3.0"}  # noqa: E731
        until(lambda: few <= back(), PATIENCE_S, lambda: (fleet.versions(), fleet.failed))
        assert at_new("0.3.0") == few
        collector.releases.look(now_ms() + THREE_DAYS_MS)
        assert book.stages()[0].stopped_ms is None
        assert {pc.machine for pc in book.pcs("0.3.0") if pc.state == "installed"} == few

        book.stage("0.3.0", (), 100, now_ms())
        until(lambda: len(back()) == PCS, PATIENCE_S, lambda: (len(back()), fleet.failed))

        taken = {pc.machine for pc in fleet.pcs if is_chosen(pc.machine, "0.4.0", 10)}
        assert len(taken) >= 2
        add(config, book, "0.4.0")
        book.stage("0.4.0", (), 10, now_ms())
        off = lambda: {pc.machine for pc in fleet.pcs if not pc.on}  # noqa: E731
        until(lambda: off() == taken, PATIENCE_S, lambda: (len(off()), len(taken)))
        collector.releases.look(now_ms())
        assert book.stages()[0].stopped_ms is None, "two open hours have not passed"
        collector.releases.look(now_ms() + THREE_DAYS_MS)
        stopped = book.stages()[0]
        assert (stopped.version, stopped.why) == ("0.4.0", f"not_back:{len(taken)}/{len(taken)}")
        assert book.stages()[1].stopped_ms is None, "0.3.0 goes on"
        offered = lambda: {  # noqa: E731
            one.version for pc in fleet.pcs if pc.on and pc.policy for one in pc.policy.releases
        }
        until(lambda: offered() == {"0.3.0"}, PATIENCE_S, offered)

        fleet.switch_on |= taken
        failed = lambda: [pc for pc in book.pcs("0.4.0") if pc.state == "failed:rolled_back"]  # noqa: E731

        def told() -> bool:
            collector.releases.look(now_ms())
            return len(failed()) == len(taken)

        until(told, PATIENCE_S, lambda: book.pcs("0.4.0"))
        assert at_new("0.3.0") == {pc.machine for pc in fleet.pcs}
        until(lambda: fleet.waiting() == 0, PATIENCE_S, fleet.waiting)
        assert not fleet.failed
    finally:
        fleet.end()
        collector.stop()
        server.stop()
        store.close()
        book.close()
    found = kit.reports_of(config)
    assert len(found) == len(set(found))
    assert fleet.produced <= set(found)
    print(f"{PCS} PCs, {len(found)} reports, {len(few)} then all; {len(taken)} took the bad one")

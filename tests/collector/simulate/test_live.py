"""A live fleet: who is in it, when it ends, and that its reports arrive marked."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pytest

import services
from agent.common.calendar import CITY_TIME
from agent.wire import Host
from collector import cli
from collector.simulate import live
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store.sqlite import SqliteStore

TODAY = dt.datetime.now(CITY_TIME).date()
EVER = 2**62


@pytest.fixture(scope="module")
def city() -> City:
    return build(Size(14, 2, TODAY.year), TODAY, TODAY - dt.timedelta(days=1), days=0)


def test_a_small_fleet_spreads_over_the_schools(city: City) -> None:
    agents = live.agents(city, 12)
    assert len({agent.school for agent in agents}) == 12
    assert len({agent.machine for agent in agents}) == 12


def test_silent_pcs_stay_silent(city: City) -> None:
    silent = {pc.machine for pc in city.pcs if pc.days.only == frozenset()}
    everybody = {agent.machine for agent in live.agents(city, 100_000)}
    assert everybody == {pc.machine for pc in city.pcs} - silent


def test_readings_name_the_pc_so_that_the_register_finds_its_room(city: City) -> None:
    rooms = {pc.machine: pc for pc in city.pcs}
    register = city.register()
    for agent in live.agents(city, 60):
        (host,) = (each for each in agent.readings() if isinstance(each, Host))
        assert host.inventory
        pc = rooms[agent.machine]
        assert register.room_for(pc.school, pc.machine, host.inventory.hostname) == pc.room


def test_bounds() -> None:
    assert live.Bounds(seconds=5).reached(5.0, 0)
    assert not live.Bounds(seconds=5).reached(4.9, 10**6)
    assert live.Bounds(reports=3).reached(0.0, 3)
    assert not live.Bounds().reached(10**6, 10**6)


@pytest.mark.mosquitto
def test_the_command_reports_over_mqtt_until_all_is_receipted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "collector.toml"
    with services.broker("mosquitto", tmp_path) as broker:
        text = f'data = "{tmp_path}/data"\naccept_simulated = true\n[mqtt]\nport = {broker.port}\n'
        config.write_text(text, "utf-8")
        collect = [sys.executable, "-m", "collector.cli", "collect", "--config", str(config)]
        with services.started(collect, tmp_path / "collect.log") as process:
            words = ["--live", "--schools", "7", "--agents", "9", "--reports", "9"]
            argv = ["schoolpulse", "simulate", "--config", str(config), *words]
            monkeypatch.setattr("sys.argv", [*argv, "--report-s", "2"])
            assert cli.main() == 0, (tmp_path / "collect.log").read_text()
            assert process.poll() is None
    assert "未确认 0" in capsys.readouterr().out
    with SqliteStore(tmp_path / "data/schoolpulse.db", 90) as store:
        reports = list(store.read("agent", 0, EVER))
    assert len(reports) >= 9
    assert len({report.tags["machine"] for report in reports}) == 9
    assert all(report.fields["simulated"] is True for report in reports)

"""A listed projector through its day, over real TCP: the right state at every step."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from agent.config import Watched
from agent.probes import Context, run
from agent.probes.network import ask as network_ask
from agent.probes.network import probe as network
from agent.probes.network.probe import Watch
from agent.wire import Device
from collector.keeper.state import Observation, State, advance, shown
from pjlink_emulator import Emulator, Projector

T0 = 1_790_000_000_000
INTERVAL_MS = 60_000


class Waited(Emulator):
    """Waited for as long as a slow machine takes while it is there, and not at all when silent."""

    def plug_in(self) -> None:
        network_ask._TIMEOUT_S = 60.0
        super().plug_in()

    def unplug(self) -> None:
        network_ask._TIMEOUT_S = 0.3
        super().unplug()


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.setattr(network_ask, "_TIMEOUT_S", 60.0)
    running = Waited(Projector(password="s3cret"))
    yield running
    running.close()


def watched(emulator: Emulator, **more: Any) -> Watched:
    settings = {"password": "s3cret", "room": "3-2", "name": "三年级二班投影机", **more}
    return Watched(host="127.0.0.1", port=emulator.port, **settings)


class Day:
    """Asks every minute, as the watch does, and reduces the answers as the keeper does."""

    def __init__(self, one: Watched) -> None:
        self.one, self.watch = one, Watch([one])
        self.state, self.now, self.events = State(), T0, []

    def minutes(self, count: int = 1) -> Device:
        for _ in range(count):
            self.now += INTERVAL_MS
            self.watch.ask(self.one)
            (device,) = self.watch.latest()
            seen = Observation(self.now, device.present, device.power, device.fault)
            self.state, changes = advance(self.state, [seen])
            self.events += [(c.event, (c.time - T0) // INTERVAL_MS, c.detail) for c in changes]
        return device

    def shown(self) -> tuple[str, str, str]:
        found = shown(self.state, self.now, self.now)
        return found.presence, found.power, found.working


def test_a_projectors_day(emulator):
    projector, day = emulator.projector, Day(watched(emulator))
    device = day.minutes(3)
    assert (device.power, device.note, device.connection) == ("standby", "", "network")
    assert day.events == [("appeared", 1, "")]
    assert day.shown() == ("present", "standby", "idle")

    projector.power = "3"
    device = day.minutes()
    assert (device.power, device.note) == ("on", "warming_up")
    projector.power = "1"
    device = day.minutes()
    assert (device.power, device.input, device.lamp_hours) == ("on", "digital 1", 1287)
    assert day.shown() == ("present", "on", "used")

    projector.errors = "020000"
    assert day.minutes().fault == "lamp"
    assert day.shown()[2] == "used"  # one observation is not yet a fault
    day.minutes(2)
    assert day.events[1:] == [("fault", 6, "lamp")]
    assert day.shown() == ("present", "on", "fault")

    projector.power = "2"
    assert (day.minutes().power, day.minutes().note) == ("standby", "cooling_down")
    projector.power = "0"
    device = day.minutes()
    assert (device.power, device.fault, device.present) == ("standby", "", True)
    day.minutes(2)
    assert day.shown() == ("present", "standby", "fault")  # it does not tell, so it stands

    emulator.unplug()
    device = day.minutes()
    assert (device.present, device.power) == (False, "unknown")
    assert day.shown()[0] == "present"
    day.minutes(2)
    assert day.events[2:] == [("gone", 14, "")]
    assert day.shown()[:2] == ("missing", "unknown")

    emulator.plug_in()
    projector.errors, projector.power = "000000", "1"
    day.minutes(3)
    assert day.events[3:] == [("appeared", 17, ""), ("repaired", 17, "lamp")]
    assert day.shown() == ("present", "on", "used")

    projector.password = "changed"
    device = day.minutes()
    assert (device.present, device.power, device.fault) == (True, "unknown", "password_refused")
    assert day.shown() == ("present", "unknown", "used")  # once is not yet a fault
    day.minutes(2)
    assert day.shown() == ("present", "unknown", "fault")
    assert day.events[5:] == [("fault", 20, "password_refused")]
    # A right password is seen in standby too, unlike a repaired lamp.
    projector.password, projector.power = "s3cret", "0"
    day.minutes(3)
    assert day.shown() == ("present", "standby", "used")
    assert day.events[6:] == [("repaired", 23, "password_refused")]


def test_a_cooling_projector_still_tells_its_fault_until_it_stands_by(emulator):
    emulator.projector.power, emulator.projector.errors = "1", "000200"
    day = Day(watched(emulator))
    assert day.minutes().fault == "cover"


def test_the_watch_asks_by_itself_and_a_command_waits(emulator):
    emulator.projector.power = "1"
    context = Context(watched=(watched(emulator),), patient=True)
    gathered = run(("network",), context)
    (device,) = gathered.readings
    assert (gathered.failed, device.power, device.room) == ((), "on", "3-2")
    assert device.connector == f"net:127.0.0.1:{emulator.port}"


def test_a_state_is_known_after_one_interval(emulator, monkeypatch):
    slept, interval = [], threading.Semaphore(0)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        interval.acquire()

    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep)
    monkeypatch.setattr(network, "time", clock)
    watch = Watch([watched(emulator)], every_s=20.0)
    watch.start()
    (first,) = watch.latest(wait=True)
    assert first.power == "standby"
    emulator.projector.power = "1"
    interval.release()
    with watch._answered:
        assert watch._answered.wait_for(
            lambda: watch._answers[watch._watched[0]].power == "on", 120
        )
    assert set(slept) == {20.0}


def test_a_resident_agent_does_not_wait(emulator):
    emulator.unplug()
    context = Context(watched=(watched(emulator),))
    assert run(("network",), context).readings == ()


def test_a_refusing_host_is_a_host(emulator):
    emulator.close()
    device = network_ask.ask(watched(emulator))
    assert (device.present, device.fault) == (True, "pjlink_closed")
    device = network_ask.ask(watched(emulator, speaks="tcp"))
    assert (device.present, device.fault, device.note) == (True, "", "port_closed")


def test_what_is_no_projector_is_said_to_be_none(emulator):
    emulator.projector.garbage = b"SSH-2.0-OpenSSH\r\n"
    device = network_ask.ask(watched(emulator))
    assert (device.present, device.fault) == (True, "not_pjlink")


def test_reachability_alone(emulator):
    device = network_ask.ask(watched(emulator, speaks="tcp", kind="printer"))
    assert (device.kind, device.present, device.power) == ("printer", True, "unknown")


def test_our_own_network_away_says_nothing_of_any_device(emulator, monkeypatch):
    context = Context(watched=(watched(emulator),), patient=True)
    assert run(("network",), context).failed == ()

    def away(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(network_ask.pjlink, "ask", away)
    watch = context.memory["network"]
    assert isinstance(watch, Watch)
    watch.ask(watch._watched[0])
    gathered = run(("network",), context)
    assert (gathered.failed, gathered.readings) == (("network",), ())
    assert network.unknowable(context) == {"127.0.0.1": "no_network"}


def test_where_our_own_cable_is_pulled_nobody_is_missing(emulator, monkeypatch):
    """The kernel keeps the route, and then everybody is as silent as one that was taken away."""
    emulator.unplug()
    assert not network_ask.ask(watched(emulator)).present
    nics = {
        name: SimpleNamespace(isup=up, flags=flags)
        for name, up, flags in (
            ("lo", True, "up,loopback,running"), ("eth0", False, "up,broadcast,multicast"),
            ("Loopback Pseudo-Interface 1", True, ""),
        )
    }  # fmt: skip
    monkeypatch.setattr(network_ask.psutil, "net_if_stats", lambda: nics)
    with pytest.raises(network_ask.UnknowableError, match="no_network"):
        network_ask.ask(watched(emulator))


@pytest.mark.parametrize(
    ("nics", "cut_off"),
    [
        ({"lo": True, "eth0": False, "vmnet8": True}, True),  # a hypervisor's own is always up
        ({"lo": True, "eth0": True, "vmnet8": True}, False),
        ({"lo": True, "eth0": False, "wlan0": True}, False),
        ({"lo": True, "vmnet8": True}, False),  # a container has no other
    ],
)
def test_what_is_no_cable_and_no_radio_shows_no_network(monkeypatch, nics, cut_off):
    stats = {
        name: SimpleNamespace(isup=up, flags="loopback" if name == "lo" else "")
        for name, up in nics.items()
    }
    kinds = {"eth0": "wired", "wlan0": "wifi", "vmnet8": "virtual"}
    monkeypatch.setattr(network_ask.psutil, "net_if_stats", lambda: stats)
    monkeypatch.setattr(network_ask.nics, "kind", kinds.get)
    assert network_ask._no_network() is cut_off


def test_one_that_cannot_be_asked_stops_no_other_and_hangs_no_command(emulator, monkeypatch):
    """A slip in one entry, or a fault of ours, must not freeze what is known of the others."""
    good = watched(emulator)
    broken = Watched(host="127.0.0.1", port=1)
    listed = (Watched(host="投影机..三楼"), broken, good, good)
    whole = network_ask.ask

    def ask(one: Watched) -> Device:
        if one is broken:
            raise RuntimeError("never thought of")
        return whole(one)

    monkeypatch.setattr(network_ask, "ask", ask)
    context = Context(watched=listed, patient=True)
    for _ in range(2):
        gathered = run(("network",), context)
        assert [device.present for device in gathered.readings] == [True]
        assert gathered.failed == ()
    assert network.unknowable(context)["127.0.0.1"] == "never thought of"
    assert network.unknowable(context)["投影机..三楼"] == "no_such_name"


def test_what_is_no_longer_known_is_not_told_as_absent(emulator, monkeypatch):
    other = Watched(host="127.0.0.1", port=emulator.port, kind="panel", password="s3cret")
    context = Context(watched=(watched(emulator), other), patient=True)
    assert len(run(("network",), context).readings) == 2
    watch = context.memory["network"]
    assert isinstance(watch, Watch)
    watch._answers[other] = network_ask.UnknowableError("no_such_name")
    assert [device.kind for device in run(("network",), context).readings] == ["projector"]


def test_a_password_from_a_file(emulator, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    one = watched(emulator, password="", password_file=str(secret))
    assert network_ask.ask(one).note == ""
    gone = watched(emulator, password="", password_file=str(tmp_path / "none"))
    assert network_ask.ask(gone).fault == "password_missing"
    secret.write_bytes(b"s3\xff\xffcret")
    assert network_ask.ask(one).fault == "password_missing"

"""Displays and sound on constructed Linux trees, and the runner over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import edids
from agent.commands import equipment
from agent.probes import PROBES, Context, run, sound_linux
from agent.probes.runner import Probe
from agent.resident.gather import Gatherer
from agent.wire import Device, Host


def edid(name: str, maker: str = "SEC", size: tuple[int, int] = (0, 0)) -> bytes:
    return edids.named(name, maker, size)


Attach = Callable[..., Path]


@pytest.fixture
def attach(tmp_path: Path) -> Attach:
    """Adds a connector to the tree under tmp_path."""

    def add(
        connector: str, data: bytes = b"", *, status: str = "connected", dpms: str = "On",
        card: str = "card0",
    ) -> Path:  # fmt: skip
        drm = tmp_path / "sys/class/drm"
        (drm / card).mkdir(parents=True, exist_ok=True)
        if not (drm / card / "device").exists():
            device = tmp_path / "sys/devices" / f"0000:0{card[-1]}:00.0"
            device.mkdir(parents=True)
            (drm / card / "device").symlink_to(device)
        folder = drm / f"{card}-{connector}"
        folder.mkdir()
        (folder / "status").write_text(status + "\n")
        (folder / "dpms").write_text(dpms + "\n")
        (folder / "edid").write_bytes(data)
        return folder

    return add


def seen(root: Path, *names: str) -> list[Device]:
    gathered = run(names or ("displays", "sound"), Context(root))
    assert not gathered.failed
    return [reading for reading in gathered.readings if isinstance(reading, Device)]


def test_a_laptop_alone(attach, tmp_path):
    attach("eDP-1", edid("", "BOE", (34, 19)))
    attach("HDMI-A-1", status="disconnected")
    (screen,) = seen(tmp_path)
    assert (screen.kind, screen.connector, screen.maker) == ("screen", "eDP-1", "BOE")
    assert (screen.width_cm, screen.power, screen.present) == (34, "on", True)


def test_a_pc_with_a_projector_and_a_monitor(attach, tmp_path):
    attach("HDMI-A-1", edid("EPSON PJ"))
    attach("DP-1", edid("DELL P2419H", "DEL", (53, 30)), dpms="Off")
    found = {device.connector: device for device in seen(tmp_path)}
    assert found["HDMI-A-1"].kind == "projector"
    assert found["HDMI-A-1"].power == "unknown"  # a picture sent says nothing of the lamp
    assert found["DP-1"].kind == "monitor"
    assert found["DP-1"].power == "standby"


def test_connectors_of_one_name_on_two_cards(attach, tmp_path):
    attach("HDMI-A-1", edid("A"), card="card0")
    attach("HDMI-A-1", edid("B"), card="card1")
    names = {device.connector for device in seen(tmp_path)}
    assert names == {"HDMI-A-1@0000:00:00.0", "HDMI-A-1@0000:01:00.0"}


def test_headless_and_virtual_machines_have_no_display(attach, tmp_path):
    assert seen(tmp_path) == []
    attach("Virtual-1", edid("QEMU"))
    attach("Writeback-1")
    assert seen(tmp_path) == []


def test_a_display_that_cannot_be_read_is_told_with_its_fault(attach, tmp_path):
    attach("HDMI-A-1", b"")
    attach("HDMI-A-2", edid("EPSON PJ")[:70])
    notes = {device.connector: device.note for device in seen(tmp_path)}
    assert notes == {"HDMI-A-1": "no_edid", "HDMI-A-2": "edid_truncated=70/128"}


def test_a_display_that_goes_is_absent_until_it_returns(attach, tmp_path):
    folder = attach("HDMI-A-1", edid("EPSON PJ"))
    context = Context(tmp_path)

    def look() -> list[tuple[str, bool]]:
        gathered = run(("displays",), context)
        return [(device.kind, device.present) for device in gathered.readings]

    assert look() == [("projector", True)]
    (folder / "status").write_text("disconnected\n")
    assert look() == [("projector", False)]
    assert look() == [("projector", False)]
    (folder / "status").write_text("connected\n")
    assert look() == [("projector", True)]


CARDS = """ 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xb1230000 irq 145
 1 [Webcam         ]: USB-Audio - HD Webcam C270
                      Logitech HD Webcam C270 at usb-0000:00:14.0-3
 2 [Loopback       ]: Loopback - Loopback
                      Loopback 1
"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """An on-board card with analogue and HDMI outputs, a webcam's microphone, a dummy."""
    asound = tmp_path / "proc/asound"
    for card, pcm, name in (
        (0, "pcm0p", "ALC256 Analog"), (0, "pcm0c", "ALC256 Analog"), (0, "pcm3p", "HDMI 0"),
        (1, "pcm0c", "USB Audio"), (2, "pcm0p", "Loopback PCM"),
    ):  # fmt: skip
        folder = asound / f"card{card}" / pcm
        folder.mkdir(parents=True)
        (folder / "info").write_text(f"card: {card}\nid: {name}\nname: {name}\n")
    (asound / "cards").write_text(CARDS)
    return asound


def test_sound_outputs_and_microphones(sound, tmp_path):
    found = [(device.kind, device.connector, device.name) for device in seen(tmp_path)]
    assert sorted(found) == [
        ("microphone", "PCH:0", "ALC256 Analog"),
        ("microphone", "Webcam:0", "USB Audio"),
        ("sound", "PCH:0", "ALC256 Analog"),
    ]


def test_sound_over_a_display_counts_while_one_is_attached(sound, tmp_path):
    eld = sound / "card0/eld#2.0"
    eld.write_text("monitor_present\t\t1\neld_valid\t\t1\nmonitor_name\t\tEPSON PJ\n")
    assert ("PCH:eld#2.0", "EPSON PJ") in {(d.connector, d.name) for d in seen(tmp_path)}
    eld.write_text("monitor_present\t\t0\neld_valid\t\t0\n")
    assert len(seen(tmp_path)) == 3


def test_one_failing_probe_breaks_no_other(monkeypatch, tmp_path):
    monkeypatch.setitem(PROBES, "broken", Probe("no_such_module.probe"))
    gathered = run(("broken", "host", "sound"), Context(tmp_path))
    assert gathered.failed == ("broken",)
    assert any(isinstance(reading, Host) for reading in gathered.readings)
    timing = {timing.probe: timing for timing in gathered.timings}
    assert "no_such_module" in timing["broken"].reason
    assert timing["host"].ok
    assert timing["host"].seconds > 0
    with pytest.raises(KeyError):
        run(("unheard-of",))


def test_the_host_itself():
    context = Context()
    (first,) = run(("host",), context).readings
    sum(i * i for i in range(300_000))
    (second,) = run(("host",), context).readings
    assert first.cpu_percent is None  # nothing to compare with yet
    assert second.cpu_percent is not None
    assert 0 < second.memory_used < second.memory_total
    assert 0 < second.disk_used < second.disk_total
    assert second.uptime_s > 1
    kinds = {nic.name: nic.kind for nic in second.nics}
    assert kinds["lo"] == "loopback"


def test_equipment_prints_what_is_attached(attach, tmp_path, monkeypatch, capsys):
    attach("HDMI-A-1", edid("EPSON PJ"))
    monkeypatch.setattr(equipment.probes, "run", lambda names, _: run(names, Context(tmp_path)))

    def args(json_wanted: bool) -> object:
        return type("Args", (), {"json": json_wanted, "config": None})

    assert equipment.run(args(True)) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["failed"] == []
    assert [device["kind"] for device in whole["devices"]] == ["projector"]
    assert equipment.run(args(False)) == 0
    text = capsys.readouterr().out
    assert "投影机" in text
    assert "HDMI-A-1" in text


def test_a_probe_that_fails_hides_no_change_of_the_others(attach, sound, tmp_path, monkeypatch):
    folder = attach("HDMI-A-1", edid("EPSON PJ"))
    gatherer = Gatherer(("displays", "sound"))
    monkeypatch.setattr(gatherer, "_context", Context(tmp_path))
    gatherer.all()
    assert not gatherer.changed()

    def broken(_: Path) -> tuple[Device, ...]:
        raise RuntimeError("a strange driver")

    monkeypatch.setattr(sound_linux, "sounds", broken)
    assert not gatherer.changed()  # of sound nothing is known
    (folder / "status").write_text("disconnected\n")
    assert gatherer.changed()

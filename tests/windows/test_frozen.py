"""The frozen agent under Wine: it starts, probes, tests the line, and loses nothing.

The device tree is constructed and lies in Wine's registry; SetupAPI, winreg and the firmware
table are Wine's own and are called for real. Wine takes every device of the registry for
attached, so that monitors of another day are tried on device trees alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import wine
from agent.probes.line import child as line_child
from agent.wire import Device
from wine import Wine


def test_it_sees_what_is_attached(windows: Wine, tree: None) -> None:
    done = windows.run(wine.FROZEN, "equipment", "--json")
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert whole["failed"] == []
    found = {device["kind"]: Device(**{k: v for k, v in device.items() if k != "reading"})
             for device in whole["devices"]}  # fmt: skip
    assert set(found) == {"projector", "touch", "camera", "printer", "sound"}
    projector = found["projector"]
    assert (projector.name, projector.maker, projector.serial) == ("EPSON PJ", "SEC", "810962764")
    assert projector.connector == "5&2C5F3D4&0&UID4353"
    assert (found["camera"].name, found["camera"].model) == ("USB 4K Camera", "0c45:6366")
    assert found["touch"].model == "1ff7:0013"
    assert found["printer"].name == "HP LaserJet 1020"
    assert found["sound"].name == "Speakers"


def test_once_and_doctor_and_help(windows: Wine, city: Any, tree: None) -> None:
    done = windows.run(wine.FROZEN, "once", "--json")
    assert done.returncode == 0, done.stderr
    readings = {r["reading"]: r for r in json.loads(done.stdout)["readings"]}
    assert readings["host"]["inventory"]["os"] == "Windows"
    assert readings["agent"]["probes"][0] == "host"
    done = windows.run(wine.FROZEN, "doctor", "--config", city.put_settings(windows, "doctor"))
    assert "✓ 探测 displays: 1 条" in done.stdout
    assert "常驻运行" in windows.run(wine.FROZEN, "--help").stdout


def test_the_addresses_burnt_into_the_cards(windows: Wine) -> None:
    """Wine passes on those of this machine's interfaces."""
    said = windows.python(
        "import json; from agent.windows.system import Windows;"
        "print(json.dumps(dict(Windows().burnt_in_macs())))"
    )
    told: dict[str, str] = json.loads(said)
    files = Path("/sys/class/net").glob("*/address")
    real = {text for file in files if set(text := file.read_text().strip()) - set("0:")}
    assert set(told.values()) == {mac for mac in real if len(mac) == 17}
    assert all(len(guid) == 38 and guid == guid.upper() for guid in told)


def test_a_line_test(windows: Wine, city: Any, tree: None) -> None:
    where = city.put_settings(windows, "line")
    server = city.folder / "collector.toml"
    address = server.read_text().split('server = "')[1].split('"')[0]
    done = windows.run(wine.FROZEN, "line", "--server", address, "--json", "--config", where)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)
    assert found["outcome"] in ("ok", "no_counter") or found["reason"] == "too_few_readings"
    assert found["payload_down"] > 1_000_000
    assert not windows.processes(line_child.MODULE)


def test_killed_and_started_again_it_has_lost_nothing(windows: Wine, city: Any, tree: None) -> None:
    """Cut while its reports wait, as at the wall; the next start sends the same ones."""
    settings, before = city.put_settings(windows, "agent"), city.boots()
    away = wine.unplugged(windows, settings)
    agent = windows.start(wine.FROZEN, "run", "--config", away)
    wine.until((windows.drive / "agent/outbox.db").exists, 60, "an outbox")
    wine.until(lambda: windows.waiting(settings) >= 2, 90, "two reports in the outbox")
    windows.kill("schoolpulse-agent.exe")
    agent.wait(30)
    assert windows.waiting(settings) >= 2
    agent = windows.start(wine.FROZEN, "run", "--config", settings)
    try:
        wine.until(lambda: windows.waiting(settings) == 0, 90, "all receipted")
        kinds = {k for (k,) in city.rows("SELECT DISTINCT kind FROM device")}
        assert {"projector", "touch", "camera", "printer", "sound"} <= kinds
        assert len(city.boots() - before) == 2
    finally:
        windows.kill("schoolpulse-agent.exe")
        agent.wait(30)


def test_an_image_keeps_nothing_of_this_pc(windows: Wine, city: Any, tree: None) -> None:
    """Refused while reports wait; then nothing but the settings is left, and it begins anew."""
    settings = city.put_settings(windows, "pattern")
    agent = windows.start(wine.FROZEN, "run", "--config", wine.unplugged(windows, settings))
    wine.until(lambda: windows.waiting(settings) >= 1, 90, "a report in the outbox")
    prepare = [wine.FROZEN, "prepare-image", "--config", settings]
    refused = windows.run(*prepare, "--discard")
    assert (refused.returncode, "已有一个代理在运行" in refused.stderr) == (2, True)
    windows.kill("schoolpulse-agent.exe")
    agent.wait(30)
    refused = windows.run(*prepare)
    assert (refused.returncode, "没有送达" in refused.stderr) == (2, True)
    assert windows.waiting(settings) >= 1
    done = windows.run(*prepare, "--discard")
    assert done.returncode == 0, done.stderr
    assert "sysprep" in done.stdout  # Wine has no firmware table: the id is the disk's
    assert [file.name for file in (windows.drive / "pattern").iterdir()] == ["agent.lock"]

    before = city.boots()
    agent = windows.start(wine.FROZEN, "run", "--config", settings)
    try:
        wine.until(lambda: city.boots() - before, 90, "a report of a new boot")
        wine.until(lambda: windows.waiting(settings) == 0, 90, "all receipted")
    finally:
        windows.kill("schoolpulse-agent.exe")
        agent.wait(30)
    done = windows.run(*prepare)  # nothing waits: what the store has may go
    assert done.returncode == 0, done.stderr
    assert not (windows.drive / "pattern/outbox.db").exists()

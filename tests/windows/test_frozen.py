"""The frozen agent under Wine: it starts, probes, tests the line, loses nothing, installs.

The device tree is constructed and lies in Wine's registry; SetupAPI, winreg, the firmware table
and the service manager are Wine's own and are called for real. Wine takes every device of the
registry for attached, so that monitors of another day are tried on device trees alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import edids
import services
from agent.wire import Device

SCHOOL = "9963020001"
_ENUM = r"SYSTEM\CurrentControlSet\Enum"
_CLASS = r"SYSTEM\CurrentControlSet\Control\Class"


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers of conftest.py, which is no package."""
    return next(m for n, m in sys.modules.items() if n.endswith("tests.windows.conftest"))


@pytest.fixture(scope="session")
def tree(windows: Any, kit: Any) -> None:
    """A projector, an interactive panel's touch, a camera, a printer, loudspeakers."""
    monitor, hid, camera = (
        "{4d36e96e-e325-11ce-bfc1-08002be10318}", "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}",
        "{ca3e7ab9-b4c3-4ae6-8251-579ef933890f}",
    )  # fmt: skip
    projector = kit.hexed(edids.named("EPSON PJ", "SEC", (160, 90), number=810962764))
    audio = r"SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio\Render\{0a1b}"
    shown = {"ClassGUID": f'"{monitor}"', "DeviceDesc": '"Generic PnP Monitor"'}
    usb = r"USB\VID_0C45&PID_6366\6&2F7A9&0&2"
    touch = r"HID\VID_1FF7&PID_0013&COL01\7&34B4A1C6&0&0000"
    windows.registry({
        rf"{_ENUM}\DISPLAY\SEC1C02\5&2C5F3D4&0&UID4353": shown,
        rf"{_ENUM}\DISPLAY\SEC1C02\5&2C5F3D4&0&UID4353\Device Parameters": {"EDID": projector},
        rf"{_ENUM}\{touch}": {
            "ClassGUID": f'"{hid}"', "DeviceDesc": '"HID-compliant touch screen"',
            "HardwareID": kit.multi(["HID\\VID_1FF7&PID_0013", "HID_DEVICE_UP:000D_U:0004"]),
        },
        rf"{_ENUM}\{usb}": {
            "ClassGUID": f'"{camera}"', "FriendlyName": '"USB 4K Camera"', "Mfg": '"Sonix"',
            "Service": '"usbvideo"',
        },
        rf"{_ENUM}\USBPRINT\HP_LASERJET\7&1&0&USB001": {
            "ClassGUID": '"{4d36e979-e325-11ce-bfc1-08002be10318}"',
            "DeviceDesc": '"HP LaserJet 1020"',
        },
        audio: {"DeviceState": "dword:00000001"},
        rf"{audio}\Properties": {"{a45c254e-df1c-4efd-8020-67d146a850e0},2": '"Speakers"'},
    })  # fmt: skip


@dataclass
class City:
    """A real broker, collector and measurement server, and an agent's settings for them."""

    folder: Path
    settings: str

    def rows(self, query: str) -> list[Any]:
        path = self.folder / "city/schoolpulse.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            return base.execute(query).fetchall()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    port, line = services.free_port(), services.free_port()
    broker, log = services.mosquitto_argv(folder, port), folder / "log"
    (folder / "collector.toml").write_text(
        f'data = "{folder}/city"\nkeeper_s = 1.0\n[mqtt]\nport = {port}\n'
        f'[lines]\nserver = "http://127.0.0.1:{line}"\n'
    )
    words = [sys.executable, "-m", "collector.cli"]
    own = ["--config", str(folder / "collector.toml")]
    subprocess.run([*words, "roster", "sample", "--out", f"{folder}/sheets"], check=True)
    subprocess.run([*words, "roster", "import", f"{folder}/sheets", *own], check=True)
    server = ["lineserver", "--host", "127.0.0.1", "--port", str(line)]
    with (
        services.started(broker, log) as process,
        services.started([*words, "collect", *own], log),
        services.started([*words, *server, *own], log),
    ):
        services.wait_port(port, process)
        services.wait_port(line)
        yield City(folder, f'school = "{SCHOOL}"\nreport_s = 5\n[broker]\nport = {port}\n')


def put_settings(windows: Any, city: City, data: str) -> str:
    file = windows.drive / f"{data}.toml"
    file.write_text(f'data = "C:/{data}"\n{city.settings}')
    return f"C:\\{data}.toml"


def test_it_sees_what_is_attached(windows, kit, tree):
    done = windows.run(kit.FROZEN, "equipment", "--json")
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


def test_once_and_doctor_and_help(windows, kit, city, tree):
    done = windows.run(kit.FROZEN, "once", "--json")
    assert done.returncode == 0, done.stderr
    readings = {r["reading"]: r for r in json.loads(done.stdout)["readings"]}
    assert readings["host"]["inventory"]["os"] == "Windows"
    assert readings["agent"]["probes"][0] == "host"
    done = windows.run(kit.FROZEN, "doctor", "--config", put_settings(windows, city, "doctor"))
    assert "✓ 探测 displays: 1 条" in done.stdout
    assert "常驻运行" in windows.run(kit.FROZEN, "--help").stdout


def test_a_line_test(windows, kit, city, tree):
    where = put_settings(windows, city, "line")
    server = city.folder / "collector.toml"
    address = server.read_text().split('server = "')[1].split('"')[0]
    done = windows.run(kit.FROZEN, "line", "--server", address, "--json", "--config", where)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)
    assert found["outcome"] in ("ok", "no_counter")
    assert found["payload_down"] > 1_000_000
    assert not windows.processes("line_load")


def test_killed_and_started_again_it_has_lost_nothing(windows, kit, city, tree):
    """Cut while its reports wait, as at the wall; the next start sends the same ones."""
    away = put_settings(windows, city, "agent").replace("agent.toml", "away.toml")
    text = (windows.drive / "agent.toml").read_text()
    (windows.drive / "away.toml").write_text(text.replace("port = ", "port = 1 #"))
    agent = windows.start(kit.FROZEN, "run", "--config", away)
    outbox = windows.drive / "agent/outbox.db"

    def waiting() -> int:
        done = windows.run(kit.FROZEN, "outbox", "--json", "--config", "C:\\agent.toml")
        return int(json.loads(done.stdout)["waiting"]) if done.returncode == 0 else 0

    kit.until(outbox.exists, 60, "an outbox")
    kit.until(lambda: waiting() >= 2, 90, "two reports in the outbox")
    for pid in windows.processes("schoolpulse-agent.exe"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    agent.wait(30)
    kept = waiting()
    assert kept >= 2
    agent = windows.start(kit.FROZEN, "run", "--config", "C:\\agent.toml")
    try:
        kit.until(lambda: waiting() == 0, 90, "all receipted")
        kinds = {k for (k,) in city.rows("SELECT DISTINCT kind FROM device")}
        assert {"projector", "touch", "camera", "printer", "sound"} <= kinds
        boots = city.rows(
            f"SELECT boot, count(*) FROM agent WHERE school = '{SCHOOL}' GROUP BY boot"
        )
        assert len(boots) == 2
    finally:
        for pid in windows.processes("schoolpulse-agent.exe"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        agent.wait(30)


def service_state(windows: Any) -> str:
    done = windows.run("sc", "query", "SchoolPulseAgent")
    words = done.stdout.split()
    return words[words.index("STATE") + 3] if "STATE" in words else ""


def test_the_installer_installs_a_service_and_leaves_no_trace(windows, kit, city, tree):
    (setup,) = kit.DIST.glob("*-setup.exe")
    desk = windows.drive / "desk"
    desk.mkdir()
    os.link(setup, desk / "setup.exe") if os.stat(setup).st_dev == os.stat(desk).st_dev else (
        desk / "setup.exe"
    ).write_bytes(setup.read_bytes())
    (desk / "agent.toml").write_text(city.settings)
    before = windows.files()
    stored = city.rows(f"SELECT count(*) FROM agent WHERE school = '{SCHOOL}'")[0][0]

    assert windows.install("C:\\desk\\setup.exe", "/S") == 0
    program = windows.drive / "Program Files/SchoolPulse/schoolpulse-agent.exe"
    assert program.exists()
    kit.until(lambda: service_state(windows) == "RUNNING", 60, "a running service")
    kit.until(
        lambda: city.rows(f"SELECT count(*) FROM agent WHERE school = '{SCHOOL}'")[0][0] > stored,
        90,
        "its report",
    )
    log = (windows.drive / "ProgramData/SchoolPulse/agent.log").read_text("utf-8")
    assert "start" in log

    # Again over itself, as an update does.
    assert windows.install("C:\\desk\\setup.exe", "/S") == 0
    kit.until(lambda: service_state(windows) == "RUNNING", 60, "a running service")

    windows.install(windows.drive / "Program Files/SchoolPulse/uninstall.exe", "/S")
    kit.until(lambda: not program.exists(), 60, "the program gone")
    kit.until(lambda: service_state(windows) == "", 60, "the service gone")
    kit.until(lambda: not (windows.drive / "ProgramData/SchoolPulse").exists(), 30, "its data gone")
    kit.until(lambda: windows.files() == before, 30, "no file left")
    left = windows.run("reg", "query", "HKLM\\Software", "/s", "/f", "SchoolPulse")
    assert "SchoolPulse" not in left.stdout.replace("/f SchoolPulse", "")

"""The frozen agent under Wine. Only `make test-windows` runs these: it builds what they need."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import city_broker
import edids
import services
import wine
from wine import Wine

SCHOOL = "9963020001"
_ENUM = r"SYSTEM\CurrentControlSet\Enum"
_CONTROL = r"SYSTEM\CurrentControlSet\Control"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    with _fresh(tmp_path_factory.mktemp("wine")) as made:
        yield made


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Wine]:
    """A Windows whose service manager waits for 150 ms, as the real one waits for 30 s."""
    with _fresh(tmp_path, ServicesPipeTimeout="150") as made:
        yield made


@contextlib.contextmanager
def _fresh(folder: Path, **control: str) -> Iterator[Wine]:
    """A fresh Windows with somebody there; `control` are settings of its service manager."""
    if not wine.FROZEN.exists():
        pytest.fail("run `make test-windows`: it freezes the agent first")
    made = Wine(folder / "prefix")
    made.run("wineboot", "-i", timeout=280)
    made.run("reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f")
    made.registry({_CONTROL: {name: f'"{value}"' for name, value in control.items()}})
    made.registry({rf"{_CONTROL}\Session Manager\Environment": {"SCHOOLPULSE_LANG": '"zh"'}})
    # Wine shuts its services down when the last program that is none has ended. One that starts
    # meanwhile brings a second service manager up beside the first: each answers every other
    # call, knows nothing of the other's services, and a start ends in error 1053.
    made.ended()
    with made.someone():
        assert len(made.processes("services.exe")) == 1, "this Windows has two service managers"
        yield made
    made.end()


@pytest.fixture
def desk(windows: Wine) -> Path:
    """Where the installer lies, alone: what another test left beside it would be taken."""
    folder = windows.drive / "desk"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (setup,) = wine.DIST.glob("*-setup.exe")
    (folder / "setup.exe").write_bytes(setup.read_bytes())
    return folder


@pytest.fixture(scope="session")
def tree(windows: Wine) -> None:
    """A projector, an interactive panel's touch, a camera, a printer, loudspeakers."""
    monitor, hid, camera = (
        "{4d36e96e-e325-11ce-bfc1-08002be10318}", "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}",
        "{ca3e7ab9-b4c3-4ae6-8251-579ef933890f}",
    )  # fmt: skip
    projector = wine.hexed(edids.named("EPSON PJ", "SEC", (160, 90), number=810962764))
    audio = r"SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio\Render\{0a1b}"
    shown = {"ClassGUID": f'"{monitor}"', "DeviceDesc": '"Generic PnP Monitor"'}
    usb = r"USB\VID_0C45&PID_6366\6&2F7A9&0&2"
    touch = r"HID\VID_1FF7&PID_0013&COL01\7&34B4A1C6&0&0000"
    windows.registry({
        rf"{_ENUM}\DISPLAY\SEC1C02\5&2C5F3D4&0&UID4353": shown,
        rf"{_ENUM}\DISPLAY\SEC1C02\5&2C5F3D4&0&UID4353\Device Parameters": {"EDID": projector},
        rf"{_ENUM}\{touch}": {
            "ClassGUID": f'"{hid}"', "DeviceDesc": '"HID-compliant touch screen"',
            "HardwareID": wine.multi(["HID\\VID_1FF7&PID_0013", "HID_DEVICE_UP:000D_U:0004"]),
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
    tls_port: int  # the same broker, with a certificate of the CA in `folder`/tls

    def rows(self, query: str) -> list[Any]:
        path = self.folder / "city/schoolpulse.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            return base.execute(query).fetchall()

    def put_settings(self, windows: Wine, data: str) -> str:
        """Settings of an agent that keeps its data in C:\\DATA; where they lie."""
        (windows.drive / f"{data}.toml").write_text(f'data = "C:/{data}"\n{self.settings}')
        return f"C:\\{data}.toml"

    def agents(self) -> int:
        """How many reports of the school's agents are stored."""
        return int(self.rows(f"SELECT count(*) FROM agent WHERE school = '{SCHOOL}'")[0][0])

    def boots(self) -> set[str]:
        """The starts of agents that they tell of."""
        return {b for (b,) in self.rows(f"SELECT boot FROM agent WHERE school = '{SCHOOL}'")}


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    port, line, tls = (services.free_port() for _ in range(3))
    (folder / "tls").mkdir()
    city_broker.certificates(folder / "tls")
    listener = (
        f"listener {tls} 127.0.0.1\ncertfile {folder}/tls/server.pem\n"
        f"keyfile {folder}/tls/server.key\nallow_anonymous true\n"
    )
    broker, log = services.mosquitto_argv(folder, port, listener), folder / "log"
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
        settings = f'school = "{SCHOOL}"\nreport_s = 5\n[broker]\nport = {port}\n'
        yield City(folder, settings, tls)

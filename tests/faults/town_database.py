"""The town's InfluxDB, which can be killed, saved and set back."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import influx_server
import services
from collector.config import Store


class Database:
    """influxd behind nginx, which stays while influxd dies."""

    def __init__(self, folder: Path, opened: contextlib.ExitStack) -> None:
        folder.mkdir()
        self.folder = folder
        self._ports = {"rpc": services.free_port(), "port": services.free_port()}
        config = folder / "influxd.conf"
        config.write_text(
            influx_server.SETTINGS.format(folder=folder, accounts="false", **self._ports)
        )
        self._argv = [services.require("influxd"), "-config", str(config)]
        self._process: subprocess.Popen[bytes] | None = None
        opened.callback(self.kill)
        self.start()
        proxy = services.require("nginx")
        self.url = opened.enter_context(
            influx_server.nginx(proxy, folder / "proxy", self._ports["port"], "25m")
        )
        made = influx_server.Influx(self.url, "", self.url)
        for name in ("telemetry", "evidence"):
            made.create(name)
        self.ask = made.ask
        self.store = Store("influxdb", self.url, org="")

    def start(self) -> None:
        """Start it; returns when it accepts."""
        with (self.folder / "influxd.log").open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log)
        services.wait_port(self._ports["port"], self._process)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def backup(self, to: Path) -> None:
        """A copy of its files, of a moment at which it is down."""
        self.kill()
        for name in ("meta", "data", "wal"):
            shutil.copytree(self.folder / name, to / name)
        self.start()

    def restore(self, backup: Path) -> None:
        """All that came after the backup is gone."""
        self.kill()
        for name in ("meta", "data", "wal"):
            shutil.rmtree(self.folder / name)
            shutil.copytree(backup / name, self.folder / name)
        self.start()

"""The collector reads its password at each connection: a new one needs no restart."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import services
from agent.common.settings import Broker
from collector.service.mqtt.link import Link

pytestmark = pytest.mark.mosquitto


class Server(NamedTuple):
    """A broker that asks for a password."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def password(self, password: str) -> None:
        """The collector's from now on; who is connected with another one is put out."""
        tool, file = services.require("mosquitto_passwd"), str(self.folder / "passwords")
        subprocess.run([tool, "-b", file, "collector", password], check=True)
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder, port = tmp_path / "server", services.free_port()
    folder.mkdir()
    (folder / "passwords").touch(0o600)
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\npassword_file {folder}/passwords\nuser root\n"
        "allow_anonymous false\n"
    )
    argv = [services.require("mosquitto"), "-c", str(folder / "mosquitto.conf")]
    with services.started(argv, folder / "log") as process:
        services.wait_port(port, process)
        yield Server(folder, port, process)


def test_the_next_connection_uses_the_password_of_then(
    server: Server, tmp_path: Path, kit: Any
) -> None:
    file = tmp_path / "mqtt.password"
    file.write_text("the-first-one")
    server.password("the-first-one")
    broker = Broker(port=server.port, username="collector", password_file=str(file))
    link = Link(broker, ["schoolpulse/v1/+/+/report/#"], lambda *_: None, lambda: None)
    link.start()
    try:
        assert link.wait_up(kit.PATIENCE_S)
        server.password("the-second-one")
        kit.until(lambda: not link.up, what="put out")
        kit.until(lambda: link.trouble.event == "broker_refused", what="the old one is refused")
        file.write_text("the-second-one")
        assert link.wait_up(kit.PATIENCE_S)
    finally:
        link.stop()

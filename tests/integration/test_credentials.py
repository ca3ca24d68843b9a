"""The agent as systemd starts it, with copies of a bundle's files and nothing else, over TLS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import bundles
import services
from agent.resident import status

pytestmark = pytest.mark.mosquitto
WAIT_S = 240


class City(NamedTuple):
    """A broker with TLS and passwords."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def password(self, password: str) -> None:
        """Give the school a password, which counts from the next login on."""
        tool = services.require("mosquitto_passwd")
        file = str(self.folder / "passwords")
        subprocess.run([tool, "-b", file, bundles.SCHOOL, password], check=True)
        self.process.send_signal(signal.SIGHUP)  # clients whose password is another stay


def _certificate(folder: Path) -> None:
    def openssl(*words: str) -> None:
        program = services.require("openssl")
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)

    bundles.ca(folder, "ca")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", "server.key",
            "-out", "server.csr")  # fmt: skip
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-extfile", "names", "-out", "server.pem", "-days", "9")  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    folder, port = tmp_path / "city", services.free_port()
    folder.mkdir()
    _certificate(folder)
    (folder / "passwords").touch(0o600)
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\ncafile {folder}/ca.pem\ncertfile {folder}/server.pem\n"
        f"keyfile {folder}/server.key\npassword_file {folder}/passwords\nuser root\n"
        "allow_anonymous false\n"
    )
    argv = [services.require("mosquitto"), "-c", str(folder / "mosquitto.conf")]
    with services.started(argv, folder / "log") as process:
        services.wait_port(port, process)
        yield City(folder, port, process)


def until(met: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_it_logs_in_with_its_copies_and_with_a_new_password_at_the_next_connection(
    tmp_path: Path, city: City
) -> None:
    copies, data = tmp_path / "credentials", tmp_path / "data"
    copies.mkdir()
    found = bundles.files(tmp_path / "other")
    found["ca.pem"] = (city.folder / "ca.pem").read_bytes()
    found["agent.toml"] = bundles.settings(port=city.port, more="report_s = 5").encode()
    for name, content in found.items():
        (copies / name).write_bytes(content)
    city.password(found["broker.password"].decode().strip())
    environ = {name: text for name, text in os.environ.items() if "SCHOOLPULSE" not in name}
    environ |= {"CREDENTIALS_DIRECTORY": str(copies), "SCHOOLPULSE_DATA": str(data)}
    argv = [sys.executable, "-m", "agent.cli", "run"]
    log = tmp_path / "agent.log"

    def logins() -> int:
        return (city.folder / "log").read_text().count(f"u'{bundles.SCHOOL}'")

    def link() -> str:
        now = status.read(data) if data.exists() else None
        return now.link if now else ""

    with log.open("wb") as output, subprocess.Popen(
        argv, env=environ, stdout=output, stderr=output, cwd="/"
    ) as agent:  # fmt: skip
        try:
            until(lambda: link() == "ready", f"ready: {log.read_text()}")
            before = logins()
            city.password("a-new-one-that-is-long-enough")
            (copies / "broker.password").write_text("a-new-one-that-is-long-enough")
            until(lambda: logins() > before, f"a second login: {log.read_text()}")
            until(lambda: link() == "ready", f"ready again: {log.read_text()}")
        finally:
            agent.terminate()
            agent.wait(30)

"""TLS: our own CA, whatever the dates say, but never a wrong name or a strange CA."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.clock import Clock
from agent.common.settings import Broker
from agent.mqtt.link import Callbacks, Link, Sender, State
from agent.mqtt.loop import Loop
from agent.outbox import Outbox

MACHINE = "0123456789abcdef" * 2


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class Authority:
    """A CA in a folder, which signs server certificates for any span of time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.pem = folder / "ca.pem"
        key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key")
        openssl(folder, "req", "-x509", *key, "-out", "ca.pem", "-subj", "/CN=test", "-days", "3")
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n"
            "certificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=p\n"
            "copy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )
        (folder / "serial").write_text("01")

    def sign(self, name: str, begin: str, end: str) -> tuple[Path, Path]:
        """Certificate and key for `name`, valid from `begin` to `end` (YYYYMMDD)."""
        key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "server.key")
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
        openssl(self.folder, "req", *key, "-out", "server.csr", *subject)
        span = ("-startdate", f"{begin}000000Z", "-enddate", f"{end}000000Z")
        files = ("-in", "server.csr", "-out", "server.pem")
        openssl(self.folder, "ca", "-batch", "-config", "ca.cnf", *span, *files, "-notext")
        (self.folder / "server.key").chmod(0o644)
        return self.folder / "server.pem", self.folder / "server.key"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    tmp_path.chmod(0o755)  # mosquitto may run as a user of its own
    return Authority(tmp_path / "ca")


@pytest.fixture
def serve(services: Any, tmp_path: Path) -> Iterator[Callable[[Path, Path, Path], int]]:
    """Starts a mosquitto with TLS; returns its port."""
    entered: list[Any] = []

    def start(ca: Path, certificate: Path, key: Path) -> int:
        folder = tmp_path / "broker"
        folder.mkdir()
        port = int(services.free_port())
        more = f"listener {port} 127.0.0.1\ncafile {ca}\ncertfile {certificate}\nkeyfile {key}\n"
        running = services.broker("mosquitto", folder, more)
        entered.append(running)
        running.__enter__()
        services.wait_port(port)
        return port

    yield start
    for running in entered:
        running.__exit__(None, None, None)


class Attempt:
    """A link that notes its states, over TLS to localhost."""

    def __init__(self, folder: Path, port: int, ca: Path, host: str = "localhost") -> None:
        self.states: list[State] = []
        self.changed = threading.Condition()
        clock = Clock()
        self.outbox = Outbox(folder / "outbox.db", MACHINE, clock)
        self.loop = Loop()
        settings = Broker(host=host, port=port, tls=True, ca=str(ca))
        sender = Sender("9900000001", MACHINE)
        callbacks = Callbacks(state=self._on_state)
        self.link = Link(settings, sender, self.outbox, clock, self.loop, callbacks)
        self.loop.start()
        self.link.start()

    def _on_state(self, state: State, _error: str) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def end(self) -> State:
        """READY or IDLE, whichever came first."""
        with self.changed:
            last = {State.READY, State.IDLE}
            assert self.changed.wait_for(lambda: last & set(self.states), 120)
        self.link.stop()
        self.loop.stop()
        self.outbox.close()
        return next(state for state in self.states if state in last)


SPANS = {
    "valid": ("20200101", "20991231"),
    "expired": ("20090101", "20100101"),
    "not yet valid": ("20900101", "20991231"),
}


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
def test_dates_do_not_matter(
    tmp_path: Path, authority: Authority, serve: Any, span: tuple[str, str]
) -> None:
    port = serve(authority.pem, *authority.sign("localhost", *span))
    assert Attempt(tmp_path, port, authority.pem).end() is State.READY


def test_a_wrong_name_is_refused(tmp_path: Path, authority: Authority, serve: Any) -> None:
    port = serve(authority.pem, *authority.sign("elsewhere.example", *SPANS["valid"]))
    attempt = Attempt(tmp_path, port, authority.pem)
    assert attempt.end() is State.IDLE
    assert "localhost" in attempt.link.error


def test_another_ca_is_refused(tmp_path: Path, authority: Authority, serve: Any) -> None:
    port = serve(authority.pem, *authority.sign("localhost", *SPANS["valid"]))
    strange = Authority(tmp_path / "strange")
    attempt = Attempt(tmp_path, port, strange.pem)
    assert attempt.end() is State.IDLE
    assert "certificate" in attempt.link.error.lower()

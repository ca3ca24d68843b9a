"""A real Mosquitto as the city's: the written settings, TLS, an account for each school."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

import services
from agent.common.settings import Broker
from collector.broker import dynsec
from collector.broker.accounts import SERVICES, Account
from collector.broker.mosquitto import DEBIAN_PLUGIN, Bounds, Files, conf


def secret(username: str) -> str:
    """The password of an account in tests."""
    return f"only-for-tests-{username}"


def account(username: str, school: str | None = None) -> Account:
    """An account; that of a school where the name is one's."""
    owner = username.partition("-")[0]
    of = school if school is not None else owner if owner.isdigit() else ""
    return Account(username, secret(username), of)


def accounts(*schools: str) -> list[Account]:
    """Those of the city's services and of some schools."""
    return [account(name) for name in (*SERVICES, *schools)]


@dataclass
class CityBroker:
    """Where it listens, its files, and its process while it runs."""

    port: int
    folder: Path
    config: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    #: Its limits as deploy/mosquitto/limits.conf sets them, in prlimit's words.
    limits: tuple[str, ...] = ()

    @property
    def ca(self) -> Path:
        """Our own CA."""
        return self.folder / "ca.pem"

    @property
    def file(self) -> Path:
        """The plugin's file."""
        return self.folder / "dynamic-security.json"

    @property
    def log(self) -> Path:
        """What the broker said."""
        return self.folder / "broker.log"

    def settings(self, username: str) -> Broker:
        """How a client of ours logs in as `username`."""
        return Broker(
            host="127.0.0.1",
            port=self.port,
            username=username,
            password=secret(username),
            tls=True,
            ca=str(self.ca),
        )

    def start(self) -> None:
        """Start it, and return when it accepts."""
        program = services.require("mosquitto")
        with self.log.open("ab") as out:
            argv = [program, "-c", str(self.config)]
            if self.limits:
                argv = [services.require("prlimit"), *self.limits, *argv]
            process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)
        self.processes.append(process)
        services.wait_port(self.port, process)

    def stop(self) -> None:
        """End it in good order: what it retains goes to its disk."""
        while self.processes:
            services.end(self.processes.pop())

    @property
    def memory(self) -> int:
        """Resident bytes of the broker's process."""
        return int(psutil.Process(self.processes[-1].pid).memory_info().rss)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.processes[-1].poll() is None


def prepared(
    folder: Path,
    schools: Sequence[str],
    bounds: Bounds | None = None,
    more: str = "",
    address: str = "127.0.0.1",
    port: int = 0,
) -> CityBroker:
    """A broker's files in `folder`; it is not started. `port` 0: one that is free."""
    if not Path(DEBIAN_PLUGIN).exists():
        services.missing("mosquitto_dynamic_security.so")
    certificates(folder)
    broker = CityBroker(port or services.free_port(), folder, folder / "mosquitto.conf")
    broker.file.write_text(json.dumps(dynsec.document(accounts(*schools))), "utf-8")
    text = conf(files(folder), bounds or Bounds(), port=broker.port, address=address)
    # As root it would become the user mosquitto, who cannot read a test's folder.
    broker.config.write_text(f"{text}\nuser root\n{more}\n", "utf-8")
    return broker


def files(folder: Path) -> Files:
    """Where `prepared` puts them."""
    return Files(
        certificate=str(folder / "server.pem"),
        key=str(folder / "server.key"),
        accounts=str(folder / "dynamic-security.json"),
        data=f"{folder}/",
    )


@contextmanager
def running(
    folder: Path,
    schools: Sequence[str],
    bounds: Bounds | None = None,
    more: str = "",
    limits: tuple[str, ...] = (),
) -> Iterator[CityBroker]:
    """A running broker with the accounts of `schools` and of the city's services."""
    broker = prepared(folder, schools, bounds, more)
    broker.limits = limits
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def certificates(folder: Path) -> None:
    """A CA and a server's certificate by it, drawn now."""

    def openssl(*words: str) -> None:
        program = services.require("openssl")
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=our CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:10.99.0.1"
    (folder / "names").write_text(names)
    sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *sign, "-out", "server.pem", "-days", "30")


__all__ = [
    "CityBroker", "account", "accounts", "certificates", "files", "prepared", "running", "secret",
]  # fmt: skip

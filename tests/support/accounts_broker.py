"""A real Mosquitto with TLS and accounts that a test changes while it runs."""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import services
from pki import Signed

CITY = "collector"


class AccountsBroker:
    """`plain` is its port without TLS, `port` the one with it, `web` that of WebSockets with it."""

    def __init__(self, folder: Path, signed: Signed, more: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.plain, self.port, self.web = (services.free_port() for _ in range(3))
        self.city_password = secrets.token_hex(8)
        self._passwords = folder / "passwords"
        self._signed = signed
        self._more = more
        self._running: Any = None

    @contextlib.contextmanager
    def running(self, accounts: Mapping[str, str]) -> Iterator[AccountsBroker]:
        """Run with these accounts: names and passwords."""
        self._write(accounts)
        self._start()
        try:
            yield self
        finally:
            self._running.kill()

    def _start(self) -> None:
        tls = f"certfile {self._signed.certificate}\nkeyfile {self._signed.key}\n"
        more = (
            f"allow_anonymous false\npassword_file {self._passwords}\n{self._more}"
            f"listener {self.port} 127.0.0.1\n{tls}"
            f"listener {self.web} 127.0.0.1\nprotocol websockets\n{tls}"
        )
        argv = services.mosquitto_argv(self.folder, self.plain, more)
        self._running = services.Broker("mosquitto", self.plain, argv, self.folder / "log")
        self._running.start()
        for port in (self.port, self.web):
            services.wait_port(port, self._running.process)

    def certificate(self, signed: Signed) -> None:
        """Stop it, and start it with another certificate."""
        self._running.kill()
        self._signed = signed
        self._start()

    def accounts(self, accounts: Mapping[str, str]) -> None:
        """From now on these; who is connected with another one is thrown out."""
        self._write(accounts)
        self._running.process.send_signal(signal.SIGHUP)

    def _write(self, accounts: Mapping[str, str]) -> None:
        lines = [f"{n}:{p}\n" for n, p in {**accounts, CITY: self.city_password}.items()]
        self._passwords.write_text("".join(lines))
        self._passwords.chmod(0o644)
        argv = [services.require("mosquitto_passwd"), "-U", str(self._passwords)]
        subprocess.run(argv, check=True, capture_output=True)

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text(errors="replace")

"""Real services for tests: each on a free port of 127.0.0.1, with its data in a folder given.

A service that this machine lacks skips its tests on a laptop and fails them in CI.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import hivemq_home

PATHS = "/usr/sbin:/usr/local/sbin:/sbin"  # where daemons are, often not on a user's PATH


#: How long a test waits for what must come. Most comes at once; this only ends a test that hangs,
#: so it is long enough for a PC of which others take nine tenths.
PATIENCE_S = 120.0


def _own_ports() -> Iterator[int]:
    """Ports of this process of tests: below those that the system gives to whoever asks.

    One from there could be another's by the time that a service listens on it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 12_000 + worker % 20 * 1000
    return itertools.cycle(range(first, first + 1000))


_ports = itertools.islice(_own_ports(), os.getpid() % 1000, None)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on right now."""
    for port in _ports:
        with socket.socket() as held, suppress(OSError):
            held.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the ports go round for ever")


def wait_port(
    port: int, process: subprocess.Popen[bytes] | None = None, seconds: float = PATIENCE_S
) -> None:
    """Return when `port` accepts; fail when `process` ended or `seconds` passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            pytest.fail(f"{process.args} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"nothing listens on port {port} after {seconds} s")


def program(name: str) -> str | None:
    """Where a program is, None if nowhere."""
    return shutil.which(name) or shutil.which(name, path=PATHS)


def missing(name: str) -> None:
    """End the test for want of the service `name`: skipped on a laptop, failed in CI."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(f"{name} is missing, and CI must have it")
    pytest.skip(f"{name} is missing")


def require(name: str) -> str:
    """Where the program `name` is; `missing` where it is not."""
    found = program(name)
    if found is None:
        missing(name)
    assert found is not None
    return found


@contextmanager
def started(argv: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service until the block ends; what it prints goes to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End it in good order; killed if it takes longer than a minute."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def small_disk(where: Path, size: str = "1m") -> Iterator[Path]:
    """A small file system of its own at `where`; skipped where we may mount none."""
    where.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)]
    if os.geteuid() != 0 or subprocess.run(argv, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small disk")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def fill(disk: Path) -> None:
    """Others take all the room, in the file `others`."""
    with suppress(OSError), (disk / "others").open("wb", buffering=0) as others:
        while True:
            others.write(b"x" * 4096)


# ---- brokers


@dataclass
class Broker:
    """A broker on `port` that can be killed and started again with its memory gone."""

    kind: str
    port: int
    argv: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it accepts."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.argv, stdout=out, stderr=subprocess.STDOUT)
        wait_port(self.port, self.process)

    def kill(self) -> None:
        """kill -9: retained messages and queues are lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


_MOSQUITTO = """
listener {port} 127.0.0.1
persistence false
sys_interval 1
max_queued_messages 100000
# As root it would become a user who cannot enter the temporary folder.
user root
{more}
"""

_AMQTT = """
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


def mosquitto_argv(folder: Path, port: int, more: str = "") -> list[str]:
    """The command line of a real mosquitto; `more` goes into its settings."""
    config = folder / "mosquitto.conf"
    access = "" if "allow_anonymous" in more else "allow_anonymous true\n"
    config.write_text(_MOSQUITTO.format(port=port, more=access + more))
    return [require("mosquitto"), "-c", str(config)]


def amqtt_argv(folder: Path, port: int) -> list[str]:
    """The command line of amqtt as a process of its own."""
    config = folder / "amqtt.yaml"
    config.write_text(_AMQTT.format(port=port))
    return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)]


#: A program that runs HiveMQ, called with a port and the folder that `hivemq_home` lays out.
OTHER_BROKER = "SCHOOLPULSE_TEST_BROKER"


def other_broker() -> str:
    """The program that the environment names, "" if none."""
    return os.environ.get(OTHER_BROKER, "")


@contextmanager
def broker(kind: str, folder: Path, more: str = "") -> Iterator[Broker]:
    """A running broker, `mosquitto` or `amqtt`, bound to 127.0.0.1.

    Where the environment names another (`OTHER_BROKER`), that runs in the place of a mosquitto
    without settings of its own, but for the length of its queues.
    """
    port, queue = free_port(), hivemq_home.queue_of(more)
    if kind == "amqtt":
        argv = amqtt_argv(folder, port)
    elif (other := other_broker()) and queue is not None:
        hivemq_home.lay_out(folder / "hivemq", port, queue=queue)
        argv = [other, str(port), str(folder / "hivemq")]
    else:
        argv = mosquitto_argv(folder, port, more)
    running = Broker(kind, port, argv, folder / f"{kind}.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()

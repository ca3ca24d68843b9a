"""A line of known rate: three network namespaces, PC - router - server, shaped on the router.

Both of the router's egresses are shaped, so that the bottleneck lies behind the PC as a
school's does. The burst is 4 ms of the rate: a smaller one delivers less than it says. tbf
counts whole Ethernet frames without the check sum, as interfaces do.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

PC, ROUTER, SERVER = "p", "r", "s"
SERVER_ADDRESS = "10.99.2.2"
PC_ADDRESS = "10.99.1.2"
#: ETHTOOL_SGSO, _STSO, _SGRO: tbf drops the super-packets that these make.
_OFFLOADS = (0x24, 0x1F, 0x2C)
_SIOCETHTOOL = 0x8946
_OFFLOAD_OFF = f"""
import array, fcntl, socket, struct, sys
for command in {_OFFLOADS}:
    value = array.array("B", struct.pack("II", command, 0))
    request = struct.pack("16sP", sys.argv[1].encode(), value.buffer_info()[0])
    fcntl.ioctl(socket.socket(), {_SIOCETHTOOL}, request)
"""
_WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
#: One test of the line, as JSON: the server, and whatever else `measure` takes, as JSON.
MEASURE = """
import json, sys
import msgspec
from agent.probes.line.probe import measure
more = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
test = measure(sys.argv[1], **{"school": "9963010001", "machine": "ab" * 16, "line": "a", **more})
print(msgspec.json.encode(test).decode())
"""
SERVE = """
import sys
from collector.lineserver.ledger import Ledger
from collector.lineserver.server import LineServer
from collector.lineserver.turns import Limits
ledger = Ledger(lambda record: None, limits=lambda wish: Limits(by_hand=1_000_000))
server = LineServer(sys.argv[1], 0, lambda record: None, ledger)
server.start()
print(server.port, flush=True)
input()
server.stop()
"""


class NoLabError(Exception):
    """No namespaces can be had here; the message says why."""


class Lab:
    """The three namespaces, while `lab()` runs."""

    def __init__(self, name: str) -> None:
        self._name = name

    def inside(self, part: str, *words: str) -> list[str]:
        """The command line that runs `words` in a namespace."""
        return ["ip", "netns", "exec", self._name + part, *words]

    def link(self, part: str) -> str:
        """The name of the router's interface towards the PC or the server."""
        return f"{self._name}r{part}"

    def shape(self, mbps: float, queue: int | None = None, *, bucket: int = 0) -> None:
        """Shape both ways to `mbps`, with a queue of `queue` bytes (default 100 ms).

        `bucket` bytes pass at twice the rate before it holds, as burst buckets of providers let.
        """
        bits = int(mbps * 1e6)
        rate, queue = f"{bits}bit", max(queue or bits // 80, 8000)
        burst = str(bits // 8 * 4 // 1000 + 1600)
        for part in (PC, SERVER):
            on = ["tc", "qdisc", "replace", "dev", self.link(part), "root", "handle", "1:", "tbf"]
            words = [*on, "rate", rate, "burst", burst, "limit", str(queue)]
            if bucket:
                peak = ["peakrate", f"{2 * bits}bit", "mtu", "1600"]
                words = [*on, "rate", rate, "burst", str(bucket), "limit", str(queue), *peak]
            run(*self.inside(ROUTER, *words))

    def clear(self) -> None:
        """No shaping: as fast as the machine."""
        for part in (PC, SERVER):
            words = ["tc", "qdisc", "del", "dev", self.link(part), "root"]
            subprocess.run(self.inside(ROUTER, *words), capture_output=True)

    def congestion(self, name: str) -> None:
        """How both ends send: cubic, bbr or reno.

        By their routes: a namespace may choose only what the machine's own settings allow to all.
        """
        for part in (PC, SERVER):
            space = self._name + part
            for route in run("ip", "-n", space, "route", "show").splitlines():
                words = route.partition(" congctl ")[0].split()
                run("ip", "-n", space, "route", "change", *words, "congctl", name)

    @contextlib.contextmanager
    def receive_windows(self, most: int) -> Iterator[None]:
        """The PC's receive windows are at most so many bytes, during the block."""
        path = "net/ipv4/tcp_rmem"
        read = f"print(open('/proc/sys/{path}').read())"
        before = self.output(PC, read).strip()
        self._write(PC, path, f"4096 {most} {most}")
        try:
            yield
        finally:
            self._write(PC, path, before)

    def _write(self, part: str, path: str, text: str) -> None:
        run(*self.inside(part, sys.executable, "-c", _WRITE, f"/proc/sys/{path}", text))

    def wire(self) -> None:
        """Lay the cables and the routes."""
        for end, net in ((PC, 1), (SERVER, 2)):
            near, far = f"{self._name}{end}0", self.link(end)
            run("ip", "link", "add", near, "netns", self._name + end, "type", "veth",
                 "peer", "name", far, "netns", self._name + ROUTER)  # fmt: skip
            for part, link, host in ((end, near, 2), (ROUTER, far, 1)):
                space = self._name + part
                run("ip", "-n", space, "addr", "add", f"10.99.{net}.{host}/24", "dev", link)
                run("ip", "-n", space, "link", "set", link, "up")
                run(*self.inside(part, sys.executable, "-c", _OFFLOAD_OFF, link))
            run("ip", "-n", self._name + end, "route", "add", "default", "via", f"10.99.{net}.1")
        self._write(ROUTER, "net/ipv4/ip_forward", "1")

    def output(self, part: str, code: str, *words: str, seconds: float = 120) -> str:
        """What a Python program prints in a namespace."""
        argv = self.inside(part, sys.executable, "-c", code, *words)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds)
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    @contextlib.contextmanager
    def running(self, part: str, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A program in a namespace, for as long as the block runs."""
        process = subprocess.Popen(self.inside(part, *words), stdout=subprocess.DEVNULL, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def measurement_server(self, script: str = SERVE) -> Iterator[str]:
        """The real measurement server in the server's namespace; its address."""
        server = subprocess.Popen(
            self.inside(SERVER, sys.executable, "-c", script, SERVER_ADDRESS),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert server.stdout is not None
        try:
            yield f"http://{SERVER_ADDRESS}:{server.stdout.readline().strip()}"
        finally:
            server.communicate("\n", timeout=20)


def measured(lab: Lab, url: str, **more: Any) -> dict[str, Any]:
    """One test of the line; `more` is what else `measure` takes.

    Where it is not our turn it waits as long as it is told to: tests of a fast line take a second,
    and a school has twelve a minute.
    """
    while True:
        found: dict[str, Any] = json.loads(lab.output(PC, MEASURE, url, json.dumps(more)))
        if "retry_s" not in found:
            return found
        time.sleep(found["retry_s"])


@contextlib.contextmanager
def lab() -> Iterator[Lab]:
    """Three namespaces with names of their own, gone at the end.

    Raises:
        NoLabError: not root, no ip or tc, or a kernel without namespaces.
    """
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("tc") is None:
        raise NoLabError("network namespaces need root, ip and tc (iproute2)")
    name = f"sp{secrets.token_hex(3)}"
    try:
        for part in (PC, ROUTER, SERVER):
            make_space(name + part)
        made = Lab(name)
        made.wire()
        yield made
    finally:
        for part in (PC, ROUTER, SERVER):
            subprocess.run(["ip", "netns", "del", name + part], capture_output=True)


def make_space(name: str) -> None:
    """Make a network namespace."""
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if done.returncode:
        raise NoLabError(f"no network namespaces here: {done.stderr.strip()}")
    run("ip", "-n", name, "link", "set", "lo", "up")


def run(*words: str) -> str:
    """Run a command, and what it prints; raises RuntimeError with what it said."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout

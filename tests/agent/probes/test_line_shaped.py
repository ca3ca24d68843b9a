"""The line probe on a line of known rate: three network namespaces, PC - router - server.

The router shapes both its egresses, so that the bottleneck lies behind the PC as a school's
does. The burst is 4 ms of the rate: a smaller one delivers less than it says.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

pytestmark = pytest.mark.netns

MBIT = 10
_SERVE = """
from collector.lineserver.server import LineServer
server = LineServer("10.99.2.2", 0, lambda record: None)
server.start()
print(server.port, flush=True)
input()
server.stop()
"""
_MEASURE = """
import sys
import msgspec
from agent.probes.line import measure
test = measure(sys.argv[1], school="9963010001", machine="ab" * 16, line="a", max_seconds=15)
print(msgspec.json.encode(test).decode())
"""
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


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def inside(space: str, *words: str) -> list[str]:
    return ["ip", "netns", "exec", space, *words]


@pytest.fixture
def shaped() -> Iterator[Callable[[str], list[str]]]:
    """Gives the command prefix of the PC's and the server's namespace."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("tc") is None:
        pytest.skip("network namespaces need root, ip and tc")
    name = f"sp{secrets.token_hex(2)}"
    spaces = [f"{name}{part}" for part in "prs"]
    try:
        try:
            for space in spaces:
                ip("netns", "add", space)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        _wire(name)
        yield lambda part: inside(f"{name}{part}")
    finally:
        for space in spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)


def _wire(name: str) -> None:
    for end, net in (("p", 1), ("s", 2)):
        near, far = f"{name}{end}0", f"{name}r{end}"
        ip("link", "add", near, "netns", f"{name}{end}", "type", "veth",
           "peer", "name", far, "netns", f"{name}r")  # fmt: skip
        for space, link, host in ((f"{name}{end}", near, 2), (f"{name}r", far, 1)):
            ip("-n", space, "addr", "add", f"10.99.{net}.{host}/24", "dev", link)
            ip("-n", space, "link", "set", link, "up")
            offload = inside(space, sys.executable, "-c", _OFFLOAD_OFF, link)
            subprocess.run(offload, check=True, capture_output=True)
        ip("-n", f"{name}{end}", "route", "add", "default", "via", f"10.99.{net}.1")
        burst = MBIT * 1_000_000 // 8 * 4 // 1000
        shape = ["tc", "qdisc", "add", "dev", far, "root", "tbf", "rate", f"{MBIT}mbit"]
        limits = ["burst", str(burst), "limit", "125000"]
        subprocess.run(inside(f"{name}r", *shape, *limits), check=True, capture_output=True)
    forward = "open('/proc/sys/net/ipv4/ip_forward', 'w').write('1')"
    subprocess.run(inside(f"{name}r", sys.executable, "-c", forward), check=True)


@contextlib.contextmanager
def serving(prefix: list[str]) -> Iterator[str]:
    server = subprocess.Popen(
        [*prefix, sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield f"http://10.99.2.2:{server.stdout.readline().strip()}"
    finally:
        server.communicate("\n", timeout=20)


def test_a_line_of_10_mbit(shaped):
    with serving(shaped("s")) as url:
        done = subprocess.run(
            [*shaped("p"), sys.executable, "-c", _MEASURE, url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    test = json.loads(done.stdout)
    assert test["outcome"] == "ok", test
    assert test["down_mbps"] == pytest.approx(MBIT, rel=0.05)
    assert test["up_mbps"] == pytest.approx(MBIT, rel=0.05)
    assert test["down_low"] <= test["down_mbps"] <= test["down_high"]
    assert test["other_share"] < 0.05
    assert test["server_limited"] is False
    assert test["loaded_ms"] > test["latency_ms"]
    assert test["payload_down"] + test["payload_up"] < 20_000_000
    assert test["seconds"] < 15

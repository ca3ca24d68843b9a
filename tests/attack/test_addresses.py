"""deploy/nftables, loaded in a network namespace: what one address may ask, and the next one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import services

RULES = Path(__file__).parents[2] / "deploy/nftables/schoolpulse.nft"
CITY, MINE, OTHER = "10.98.0.1", "10.98.0.2", "10.98.0.3"
#: Takes all that comes, and at the end of input says how many connections and bytes it took.
_SERVE = """
import selectors, socket, sys
asked = selectors.DefaultSelector()
server = socket.create_server(("", 8883), backlog=2000)
asked.register(server, selectors.EVENT_READ)
asked.register(sys.stdin, selectors.EVENT_READ)
took, held = {}, []
print("ready", flush=True)
while True:
    for key, _ in asked.select():
        if key.fileobj is server:
            one, (address, _) = server.accept()
            held.append(one)
            took.setdefault(address, [0, 0])[0] += 1
            asked.register(one, selectors.EVENT_READ, address)
        elif key.fileobj is sys.stdin:
            print(*took.get(sys.stdin.readline().strip(), (0, 0)), flush=True)
        else:
            data = key.fileobj.recv(1 << 16)
            took[key.data][1] += len(data)
            if not data:
                asked.unregister(key.fileobj)
"""
#: Opens connections from an address without waiting for each; prints how many were made.
_CONNECT = """
import selectors, socket, sys, time
made, asked = 0, selectors.DefaultSelector()
for _ in range(int(sys.argv[2])):
    one = socket.socket()
    one.bind((sys.argv[1], 0))
    one.setblocking(False)
    one.connect_ex(("10.98.0.1", 8883))
    asked.register(one, selectors.EVENT_WRITE)
quiet = time.monotonic() + 5
while made < int(sys.argv[2]) and time.monotonic() < quiet:
    for key, _ in asked.select(0.5):
        asked.unregister(key.fileobj)
        made += key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        quiet = time.monotonic() + 5
print(made, flush=True)
sys.stdin.read()
"""
#: Sends from an address for some seconds, as fast as it goes.
_SEND = """
import socket, sys, time
one = socket.create_connection(("10.98.0.1", 8883), 20, (sys.argv[1], 0))
one.settimeout(1)
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    try:
        one.send(bytes(1 << 16))
    except TimeoutError:
        pass
"""


class Lab:
    """Two namespaces, and programs in them."""

    def __init__(self) -> None:
        self.city, self.outside = f"city-{os.getpid()}", f"out-{os.getpid()}"

    def argv(self, place: str, program: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", place, sys.executable, "-c", program, *words]

    def start(self, place: str, program: str, *words: str) -> subprocess.Popen[str]:
        argv = self.argv(place, program, *words)
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def lab() -> Iterator[Lab]:
    nft = services.require("nft")
    made = Lab()
    if (
        os.geteuid() != 0
        or subprocess.run(["ip", "netns", "add", made.city], check=False).returncode
    ):
        pytest.skip("needs root, to make network namespaces")
    try:
        _link(made)
        argv = ["ip", "netns", "exec", made.city, nft, "-f", str(RULES)]
        if subprocess.run(argv, check=False).returncode:
            pytest.skip("this kernel has no nftables")
        yield made
    finally:
        for name in (made.city, made.outside):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _link(lab: Lab) -> None:
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    ip("netns", "add", lab.outside)
    peer = ("peer", "name", "o", "netns", lab.outside)
    ip("-n", lab.city, "link", "add", "c", "type", "veth", *peer)
    for name, link, addresses in ((lab.city, "c", [CITY]), (lab.outside, "o", [MINE, OTHER])):
        for address in addresses:
            ip("-n", name, "address", "add", f"{address}/24", "dev", link)
        ip("-n", name, "link", "set", link, "up")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def took(server: subprocess.Popen[str], address: str) -> tuple[int, int]:
    """Connections and bytes that came from an address."""
    assert server.stdin is not None
    server.stdin.write(f"{address}\n")
    server.stdin.flush()
    connections, amount = line(server).split()
    return int(connections), int(amount)


def test_one_address_holds_its_connections_and_the_next_one_is_served(lab: Lab) -> None:
    with ended(lab.start(lab.city, _SERVE)) as server:
        assert line(server) == "ready"
        with ended(lab.start(lab.outside, _CONNECT, MINE, "700")) as many:
            assert int(line(many)) == 600
            with ended(lab.start(lab.outside, _CONNECT, OTHER, "5")) as few:
                assert int(line(few)) == 5
        assert took(server, MINE)[0] == 600


def test_one_address_sends_its_share_and_the_next_one_all(lab: Lab) -> None:
    with ended(lab.start(lab.city, _SERVE)) as server:
        assert line(server) == "ready"
        with ended(lab.start(lab.outside, _SEND, MINE, "8")) as flood:
            assert not line(flood)  # it ends
        _, amount = took(server, MINE)
        # Without the rules it is some hundred MB.
        assert 400_000 < amount < 512 * 1024 + 60 * 64 * 1024
        with ended(lab.start(lab.outside, _SEND, OTHER, "1")) as also:
            assert not line(also)
        assert took(server, OTHER)[1] > 300_000


def test_the_file_is_loaded_again_without_a_trace_of_the_old(lab: Lab) -> None:
    argv = ["ip", "netns", "exec", lab.city, services.require("nft")]
    subprocess.run([*argv, "-f", str(RULES)], check=True)
    shown = subprocess.run([*argv, "list", "ruleset"], check=True, capture_output=True, text=True)
    assert shown.stdout.count("ct count over 600") == 2

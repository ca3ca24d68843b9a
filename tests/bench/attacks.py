"""What one school's credential does to a real Mosquitto, before and after: `make bench-attacks`.

Before: as deployed at first, with passwords and an ACL by patterns, and no bounds but those of the
queues. After: as `schoolpulse setup` writes it. The limits by address (deploy/nftables) are not
loaded here: see `make attack`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

import attacker
import city_broker
import services
from agent.wire.topics import ALL_REPORTS
from attacker import Attacker, topic
from bystander import A, B, Listening, until
from city_broker import CityBroker

_FLOOD_S, _MOST = 20.0, 2.5e9
_REPORTS = 200
_BEFORE = """\
listener {port} 127.0.0.1
certfile {folder}/server.pem
keyfile {folder}/server.key
tls_version tlsv1.2
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
per_listener_settings false
max_queued_messages 200000
max_queued_bytes 536870912
max_inflight_messages 200
max_packet_size 270000
persistence true
persistence_location {folder}/
user root
"""
_ACL = """\
pattern write schoolpulse/v1/%u/+/report/#
pattern write schoolpulse/v1/%u/+/presence
pattern read schoolpulse/v1/%u/+/receipt
pattern read schoolpulse/v1/%u/policy
user collector
topic readwrite schoolpulse/#
"""


class Side(NamedTuple):
    """A broker, and whether it is the one of now."""

    broker: CityBroker
    now: bool


def flood(side: Side) -> str:
    """At QoS 0 by three connections, while the collector hangs; what the broker takes."""
    broker = side.broker
    with Attacker(broker.settings("collector")) as deaf:
        assert deaf.log_in("deaf") == 0
        assert deaf.subscribe([ALL_REPORTS]) is not None
        end, found = time.monotonic() + _FLOOD_S, [broker.memory]
        while time.monotonic() < end and broker.alive and found[-1] < _MOST:
            attacker.flood(broker.settings(A), A, 0.5)
            found.append(broker.memory)
    grows = found[-1] > 1.05 * found[-4]
    return f"{max(found) / 1e6:,.0f} MB{', and grows' if grows else ''}"


def retained(side: Side) -> str:
    """200 reports of 250 kB, to be retained; how many are in the end."""
    with ExitStack() as opened:
        listening = opened.enter_context(Listening(side.broker)) if side.now else None
        one = opened.enter_context(Attacker(side.broker.settings(A)))
        assert one.log_in("retain") == 0
        for n in range(1, _REPORTS + 1):
            assert one.publish(topic(A, n, "report", n + 1), bytes(250_000), retain=True) in (0, 16)
        if listening:
            until(lambda: listening.counts["unretained"] >= _REPORTS, "all cleared")
            assert listening.links.outgoing.flush(services.PATIENCE_S)
    with Attacker(side.broker.settings("collector")) as reader:
        assert reader.log_in("reader") == 0
        assert reader.subscribe([ALL_REPORTS]) is not None
        return f"{_heard(reader)} of {_REPORTS}"


def silent(side: Side) -> str:
    """1,100 connections that say nothing; when another school is let in."""
    held, begun = attacker.idle(side.broker.settings(A), 1100), time.monotonic()
    try:
        with Attacker(side.broker.settings(B)) as school:
            code = school.log_in("another")
    except OSError:
        code = -1
    for one in held:
        one.close()
    seconds = time.monotonic() - begun
    return f"after {seconds:.2f} s" if code == 0 else "refused"


def group(side: Side) -> str:
    """The collectors' group is joined under its name; how many reports of others come through."""
    broker = side.broker
    with Attacker(broker.settings("collector")) as ours, Attacker(broker.settings(A)) as thief:
        assert ours.log_in("ours") == 0
        assert ours.subscribe([f"$share/city/{ALL_REPORTS}"]) is not None
        thieves = [thief, *(Attacker(broker.settings(A)) for _ in range(49))]
        for n, one in enumerate(thieves):
            assert one.log_in(f"thief-{n}") == 0
            one.subscribe([f"$share/city/{ALL_REPORTS}"])
        with Attacker(broker.settings(B)) as school:
            assert school.log_in("b") == 0
            for n in range(_REPORTS):
                assert school.publish(topic(B, 1, "report", n + 2), b"{}") == 0
        got = _heard(ours)
        for one in thieves:
            one.close()
    return f"{got} of {_REPORTS}"


def _heard(reader: Attacker) -> int:
    """How many messages it gets until none comes for 3 s."""
    reader.raw.settimeout(3)
    got = 0
    with suppress(TimeoutError):
        while got < _REPORTS and reader.receive(attacker.PUBLISH) is not None:
            got += 1
    return got


def foreign(side: Side) -> str:
    """Filters of others' topics; how many are taken."""
    wanted = ["#", "$SYS/#", "$CONTROL/#", ALL_REPORTS, f"schoolpulse/v1/{B}/+/receipt"]
    with Attacker(side.broker.settings(A)) as one:
        assert one.log_in("filters") == 0
        codes = one.subscribe(wanted) or b""
    return f"{sum(code < 0x80 for code in codes)} of {len(wanted)}"


ATTACKS: tuple[Callable[[Side], str], ...] = (flood, retained, silent, group, foreign)


def main() -> int:
    """The table."""
    table = Table(title="One school's credential and a real Mosquitto")
    for head in ("attack", "before", "after"):
        table.add_column(head, justify="left" if head == "attack" else "right")
    for attack in ATTACKS:
        found = []
        for now in (False, True):
            with _running(now=now) as broker:
                found.append(attack(Side(broker, now)))
        table.add_row(attack.__doc__, *found)
    Console().print(table)
    return 0


@contextmanager
def _running(*, now: bool) -> Iterator[CityBroker]:
    with tempfile.TemporaryDirectory() as name:
        broker = city_broker.prepared(Path(name), [A, B])
        broker.limits = ("--nofile=16384",)
        if not now:
            _as_before(broker)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def _as_before(broker: CityBroker) -> None:
    folder = broker.folder
    broker.limits = ("--nofile=1024",)  # a service's own, which nobody had raised
    broker.config.write_text(_BEFORE.format(port=broker.port, folder=folder))
    (folder / "acl").write_text(_ACL)
    passwords = folder / "passwords"
    rows = (f"{one}:{city_broker.secret(one)}\n" for one in ("collector", A, B))
    passwords.write_text("".join(rows))
    subprocess.run([services.require("mosquitto_passwd"), "-U", str(passwords)], check=True)


if __name__ == "__main__":
    sys.exit(main())

"""Whoever holds one school's credential and writes MQTT by hand: nothing is polite, all is bounded.

Raw packets over TLS, so that each attack costs little to make and paho forbids none.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

from agent.common.settings import Broker

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 8, 9, 12, 14

#: How long the broker may take for an answer on a PC that others keep busy, s.
_PATIENCE_S = 120.0


def text(value: str | bytes) -> bytes:
    """A string or binary of MQTT: its length, then it."""
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind: int, body: bytes, flags: int = 0, size: int | None = None) -> bytes:
    """A packet; `size`: the length that it claims, where that is not its own."""
    left, lengths = len(body) if size is None else size, bytearray()
    while True:
        left, low = divmod(left, 128)
        lengths.append(low | (0x80 if left else 0))
        if not left:
            return bytes([kind << 4 | flags]) + bytes(lengths) + body


def connect_packet(
    broker: Broker, client_id: str, *, keepalive: int = 60, clean: bool = True,
    expiry_s: int = 0, will: tuple[str, bytes] | None = None,
) -> bytes:  # fmt: skip
    """CONNECT of MQTT 5; `will`: topic and payload, retained."""
    properties = b"\x11" + struct.pack(">I", expiry_s) if expiry_s else b""
    flags = 0xC0 | (0x02 if clean else 0) | (0x2C if will else 0)
    body = text("MQTT") + bytes([5, flags]) + struct.pack(">H", keepalive)
    body += bytes([len(properties)]) + properties + text(client_id)
    if will:
        body += b"\0" + text(will[0]) + text(will[1])
    return packet(CONNECT, body + text(broker.username) + text(broker.password))


def publish_packet(
    topic: str, payload: bytes, qos: int = 0, mid: int = 1, *, retain: bool = False,
    alias: int = 0,
) -> bytes:  # fmt: skip
    """PUBLISH of MQTT 5."""
    properties = b"\x23" + struct.pack(">H", alias) if alias else b""
    number = struct.pack(">H", mid) if qos else b""
    body = text(topic) + number + bytes([len(properties)]) + properties + payload
    return packet(PUBLISH, body, qos << 1 | retain)


def subscribe_packet(topics: list[str], mid: int = 1) -> bytes:
    """SUBSCRIBE of MQTT 5 at QoS 1."""
    return packet(
        SUBSCRIBE, struct.pack(">H", mid) + b"\0" + b"".join(text(t) + b"\1" for t in topics), 2
    )


class Attacker:
    """One connection; a context manager that closes without DISCONNECT."""

    def __init__(self, broker: Broker, source: str = "") -> None:
        """Connect TCP and TLS, and say nothing yet. `source`: the address to come from."""
        raw = socket.create_connection(
            (broker.host, broker.port), _PATIENCE_S, (source, 0) if source else None
        )
        self.raw: socket.socket = raw
        if broker.tls:
            context = ssl.create_default_context(cafile=broker.ca)
            self.raw = context.wrap_socket(raw, server_hostname=broker.host)
        self._broker = broker
        self._in = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close at once."""
        with contextlib.suppress(OSError):
            self.raw.close()

    def log_in(self, client_id: str, **how: object) -> int:
        """CONNECT; the reason code of the answer, -1 where the broker just closed."""
        self.send(connect_packet(self._broker, client_id, **how))  # type: ignore[arg-type]
        found = self.receive(CONNACK)
        return found[1] if found else -1

    def subscribe(self, topics: list[str]) -> bytes | None:
        """SUBSCRIBE; the reason codes, None where the broker closed."""
        self.send(subscribe_packet(topics))
        found = self.receive(SUBACK)
        return found[3:] if found else None

    def publish(self, topic: str, payload: bytes, **how: object) -> int:
        """PUBLISH at QoS 1; the reason code, -1 where the broker closed."""
        self.send(publish_packet(topic, payload, 1, **how))  # type: ignore[arg-type]
        found = self.receive(PUBACK)
        return -1 if found is None else found[2] if len(found) > 2 else 0

    def send(self, data: bytes) -> bool:
        """All of it; False where the broker closed."""
        try:
            self.raw.sendall(data)
        except OSError:
            return False
        return True

    def receive(self, *kinds: int) -> bytes | None:
        """The body of the next packet of these kinds; None where the broker closes before.

        Raises:
            TimeoutError: it does neither for as long as the socket waits.
        """
        while True:
            for got, body in self._packets():
                if got >> 4 in kinds:
                    return body
                if got >> 4 == DISCONNECT:
                    return None
            try:
                more = self.raw.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError:
                return None
            if not more:
                return None
            self._in += more

    def closed(self) -> bool:
        """Wait until the broker closes, at most the socket's timeout; False where it does not."""
        try:
            while self.raw.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def _packets(self) -> Iterator[tuple[int, bytes]]:
        while len(self._in) >= 2:
            size, shift, at = 0, 0, 1
            while True:
                if at >= len(self._in):
                    return
                size |= (self._in[at] & 127) << shift
                at, shift = at + 1, shift + 7
                if self._in[at - 1] < 128:
                    break
            if at + size > len(self._in):
                return
            kind, body = self._in[0], self._in[at : at + size]
            self._in = self._in[at + size :]
            yield kind, body


# ---- attacks that go on for a while, each by threads of its own


def flood(
    broker: Broker, school: str, seconds: float, *, connections: int = 3, size: int = 250_000,
    qos: int = 0, retain: bool = False, channel: str = "report", source: str = "",
) -> int:  # fmt: skip
    """Publish as fast as the sockets take it, and log in again whenever put out; bytes sent."""
    sent = [0] * connections
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(
            target=_flood_one,
            args=(broker, school, until, n, sent, bytes(size), qos, retain, channel, source),
        )
        for n in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(sent)


def _flood_one(
    broker: Broker, school: str, until: float, n: int, sent: list[int], payload: bytes, qos: int,
    retain: bool, channel: str, source: str,
) -> None:  # fmt: skip
    number = 1
    while time.monotonic() < until:
        with contextlib.suppress(OSError), Attacker(broker, source) as one:
            one.raw.settimeout(5)
            if one.log_in(f"flood-{n}-{number}") != 0:
                continue
            while time.monotonic() < until:
                number += 1
                where = topic(school, n, channel, number)
                if not one.send(
                    publish_packet(where, payload, qos, number % 65535 + 1, retain=retain)
                ):
                    break
                sent[n] += len(payload)


def topic(school: str, n: int, channel: str, number: int) -> str:
    """A topic of the school's own, of a machine that nobody has."""
    if channel == "presence":
        return f"schoolpulse/v1/{school}/{number * 1000 + n:032x}/presence"
    return f"schoolpulse/v1/{school}/{n:032x}/report/{n:016x}/{number}"


def idle(
    broker: Broker, count: int, source: str = "", *, patience_s: float = 5
) -> list[socket.socket]:
    """Connections that say nothing at all; fewer where one is not made within `patience_s`."""
    found = []
    for _ in range(count):
        try:
            found.append(
                socket.create_connection(
                    (broker.host, broker.port), patience_s, (source, 0) if source else None
                )
            )
        except OSError:
            break
    return found


#: What `assault` can do, by name.
_FLOODS: dict[str, dict[str, Any]] = {
    "large": {},
    "large at QoS 1": {"qos": 1},
    "small": {"size": 20},
    "retained": {"retain": True},
    "presences": {"retain": True, "channel": "presence", "size": 20},
}
ATTACKS = (*_FLOODS, "silent", "log-ins", "subscriptions")


def assault(
    broker: Broker, school: str, seconds: float, kinds: Sequence[str], source: str = ""
) -> None:
    """Some of `ATTACKS` at once, for as long."""
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_attack, args=(broker, school, until, kind, source))
        for kind in kinds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _attack(broker: Broker, school: str, until: float, kind: str, source: str) -> None:
    while (left := until - time.monotonic()) > 0:
        if kind in _FLOODS:
            flood(broker, school, left, source=source, **_FLOODS[kind])
        elif kind == "silent":
            held = idle(broker, 1100, source)
            time.sleep(min(left, 2.0))
            for one in held:
                one.close()
        else:
            with contextlib.suppress(OSError), Attacker(broker, source) as one:
                one.log_in("often")
                while kind == "subscriptions" and time.monotonic() < until:
                    wanted = [f"schoolpulse/v1/{school}/{n}/receipt" for n in range(1000)]
                    if one.subscribe(wanted) is None:
                        break


def main() -> None:
    """An assault by a process of its own: the arguments of `assault` as JSON in argv."""
    words = json.loads(sys.argv[1])
    assault(Broker(**words.pop("broker")), **words)


__all__ = ["ATTACKS", "Attacker", "assault", "flood", "idle", "packet", "publish_packet", "topic"]

if __name__ == "__main__":
    main()

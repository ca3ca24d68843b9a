"""Structure-aware fuzz of the collector's way from message to receipt: `make fuzz`.

Each message starts as one that an agent could send, and is then hurt where it hurts: a field of
another type, a number past its range, an unknown reading, a cut or flipped byte, deep nesting, a
topic of somebody else. Whatever arrives, it must be stored, held, quarantined, answered or
ignored by name, and what is receipted as stored must be in the store.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from agent import wire
from agent.wire.topics import presence_topic, report_topic
from collector.service.mqtt.packets import Outgoing
from collector.service.pipeline.answers import Answers
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import Quarantine
from collector.service.pipeline.sorter import Sorter
from collector.service.pipeline.storer import Storer
from collector.service.pipeline.worker import Worker
from collector.service.pipeline.writer import Writer
from collector.store.base import Point
from collector.store.check import refuse, sift

Key = tuple[str, str, str, int]  # school, machine, boot, number
SCHOOL, OTHER = "9900000001", "9900000002"
BATCH = 500
_NOW = 1_793_577_600_000
_SPECIAL: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**53, 2**63, 2**64, -(2**63), 1e308, -1e308, 0.1, "", " ",
    "\0", "\u2028", "\ud800", "测" * 300, "a" * 70_000, [], {}, [[]], {"a": {}}, "NaN", "9" * 40,
    "x\\", "a,b=c d", "\n", "'; DROP TABLE host; --", "\U0001f4a9",
]  # fmt: skip
_NAMES = ("v", "type", "time", "readings", "offset_ms", "sent", "uncertain", "simulated", "x")


class Seen:
    """A store that only remembers which reports it holds, and refuses what no store can hold."""

    def __init__(self) -> None:
        self.reports: set[Key] = set()
        self.refused = 0

    def write(self, points: list[Point]) -> None:
        """As a store does, now and then refusing a good point."""
        good, bad = sift(points)
        odd = [p for p in good if p.measurement == "host" and p.time % 97 == 0]
        for point in good:
            if point.measurement == "agent":
                tags, fields = point.tags, point.fields
                key = tags["school"], tags["machine"], str(fields["boot"]), int(fields["number"])
                self.reports.add(key)
        self.refused += len(odd) + len(bad)
        refuse([*bad, *((point, "field type conflict") for point in odd)])


def messages(rng: random.Random) -> Callable[[int], Message]:
    """Makes the nth message."""

    def make(n: int) -> Message:
        machine, boot = f"{rng.randrange(2000):032x}", f"{rng.randrange(4000):016x}"
        school = rng.choice((SCHOOL, SCHOOL, SCHOOL, OTHER, "lineserver"))
        number = rng.choice((1, n + 2, n + 2, n + 2))
        topic = report_topic(school, machine, boot, number)
        if rng.random() < 0.05:
            topic = presence_topic(school, machine)
        payload = _hurt(json.dumps(_good(rng, n, topic)).encode(), rng)
        if rng.random() < 0.02:
            topic = _hurt_text(topic, rng)
        return Message(topic, payload, _NOW * 1_000_000 + n)

    return make


def _good(rng: random.Random, n: int, topic: str) -> Any:
    """What belongs to the topic, nearly always; a field or two of a report replaced."""
    if topic.endswith("/1") or rng.random() < 0.02:
        return {"type": "hello", "v": 1, "sent": _NOW + n}
    if topic.endswith("presence"):
        return {"v": 1, "boot": f"{n % 2**32:016x}", "online": True}
    body = {
        "type": "report", "v": 1, "time": _NOW + n, "offset_ms": rng.randrange(-(10**9), 10**9),
        "readings": [_reading(rng) for _ in range(rng.randrange(4))],
    }  # fmt: skip
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        _replace(body, rng)
    return body


def _reading(rng: random.Random) -> dict[str, Any]:
    made: list[dict[str, Any]] = [
        {"reading": "host", "cpu_percent": 1.5, "nics": [{"name": "e", "up": True}]},
        {"reading": "agent", "version": "1", "failed_probes": ["a"], "outbox_rows": 3},
        {"reading": "device", "kind": "projector", "connector": "HDMI-1", "present": True},
        {"reading": "line_test", "test": "t", "line": "主线", "outcome": "ok", "down_mbps": 9.7},
        {"reading": "line_record", "test": "t", "school": SCHOOL, "machine": "ab" * 16,
         "line": "主线", "outcome": "ok"},
        {"reading": "nonsense"},
    ]  # fmt: skip
    return rng.choices(made, (6, 6, 6, 4, 1, 0.3))[0]


def _replace(body: Any, rng: random.Random) -> None:
    """Something, somewhere in the tree, by something else."""
    while True:
        keys = list(body) if isinstance(body, dict) else list(range(len(body)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(body[key], dict | list) and rng.random() < 0.8:
            body = body[key]
            continue
        choice = rng.random()
        if choice < 0.7:
            body[key] = copy.deepcopy(rng.choice(_SPECIAL))
        elif isinstance(body, dict) and choice < 0.85:
            body[rng.choice(_NAMES)] = body.pop(key)
        else:
            del body[key]
        return


def _hurt(payload: bytes, rng: random.Random) -> bytes:
    choice = rng.random()
    if choice < 0.8 or not payload:
        return payload
    at = rng.randrange(len(payload))
    if choice < 0.85:
        return payload[:at]
    if choice < 0.9:
        return payload[:at] + bytes([payload[at] ^ (1 << rng.randrange(8))]) + payload[at + 1 :]
    if choice < 0.93:
        return b"[" * rng.choice((10, 2000)) + payload
    if choice < 0.96:
        return payload[:at] + payload
    return rng.randbytes(rng.randrange(200))


def _hurt_text(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(("", "/", "０", "\n", "+", "x" * 300, text)) + text[at + 1 :]


def fuzz(total: int, seed: int, folder: Path, show: bool = False) -> Counter[str]:
    """Send `total` messages through a worker; what became of them.

    Raises:
        AssertionError: a report had no answer, or was receipted and is nowhere.
    """
    make, store, counts = messages(random.Random(seed)), Seen(), Counts()
    quarantine = Quarantine(folder / "quarantine.db", 2**40)
    pending_days = PendingDays(folder / "days.db")
    stored: set[Key] = set()
    held: set[Key] = set()

    def publish_all(messages: Sequence[Outgoing]) -> int:
        for message in messages:
            receipt = wire.decode_receipt(message.payload)
            school, machine = message.topic.split("/")[2:4]
            held.update((school, machine, one.boot, one.number) for one in receipt.held)
            for run in receipt.stored:
                numbers = range(run.first, run.last + 1)
                stored.update((school, machine, run.boot, number) for number in numbers)
        return len(messages)

    writer = Writer(store, counts, threading.Event())  # type: ignore[arg-type]
    answers = Answers(quarantine, publish_all, counts)
    sorter = Sorter({SCHOOL}.__contains__, answers, counts)
    worker = Worker(Inbox(), sorter, Storer(writer, answers, pending_days, counts))
    asked: set[Key] = set()
    for start in track(range(0, total, BATCH), f"{total:,} messages", disable=not show):
        batch = [make(start + n) for n in range(min(BATCH, total - start))]
        asked.update(key for message in batch if (key := _key(message.topic)) is not None)
        worker.handle(batch)
    mute = asked - stored - held
    assert not mute, f"{len(mute)} reports without an answer, such as {min(mute)}"
    rows = {_key(row.topic) for row in quarantine.rows()}
    gone = {key for key in stored - store.reports - rows if key[3] != 1}  # 1: a hello
    assert not gone, f"{len(gone)} receipted, and nowhere, such as {min(gone)}"
    found = Counter({name: counts[name] for name in ("stored", "duplicates", "held", "ignored")})
    found["quarantined"] = quarantine.size()[0]
    found["refused by the store"] = store.refused
    quarantine.close()
    pending_days.close()
    return found


def _key(topic: str) -> Key | None:
    try:
        place = wire.parse_topic(topic)
    except wire.TopicError:
        return None
    return (place.school, place.machine, place.boot, place.number) if place.boot else None


def main() -> int:
    """Fuzz and print; a broken promise ends it with an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(args.messages, args.seed, Path(folder), show=True)
    print(f"seed {args.seed}, {args.messages:,} messages: no crash, none lost unnoticed")
    print(", ".join(f"{name} {count:,}" for name, count in sorted(found.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())

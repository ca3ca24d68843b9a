"""Projectors that misbehave at random: what is read of their power is right, or unknown."""

from __future__ import annotations

import random
from collections import Counter

from agent.config import Watched
from agent.probes.network import ask as network_ask
from pjlink_emulator import Emulator, Projector

_POWERS = {"0": "standby", "1": "on", "2": "standby", "3": "on", "ERR3": "standby"}
_BODIES = ("POWR", "NAME", "INF1", "INF2", "CLSS", "ERST", "LAMP", "INPT", "AVMT", "SNUM", "FILT")


def projector(draw: random.Random) -> Projector:
    """One, with manners and answers drawn."""
    made = Projector(
        level=draw.choice("12"),
        power=draw.choice([*_POWERS, *_POWERS, "ERR4", "ERR1", ""]),
        password=draw.choice(["", "", "secret"]),
        chatty=draw.random() < 0.2,
        hangs_up=draw.random() < 0.2,
        digest_each=draw.random() < 0.2,
        refusals=draw.choice([0, 0, 0, 0, 1, 2]),
        answers_left=draw.choice([1000, 1000, 1000, draw.randrange(12)]),
        greeting=_greeting(draw),
    )
    odd = {body for body in _BODIES if draw.random() < 0.3}
    made.spoil = lambda body, line: _spoiled(draw, line) if body in odd else line
    made.silent = draw.random() < 0.05
    return made


def _greeting(draw: random.Random) -> bytes | None:
    return draw.choice([
        *[None] * 24, b"pjlink 0\n", b"PJLINK 0\r\n", b"\r\nPJLINK 0\r",
        b"PJLINK ERRA\r", b"PJLINK 1 \r", b"", b"HTTP/1.0 400\r",
        draw.randbytes(draw.randrange(300)),
    ])  # fmt: skip


def _spoiled(draw: random.Random, line: bytes) -> bytes:
    """The answer, hurt without another power's digit coming out."""
    body = line[2:6]
    noise = bytes(draw.choice(b"\x00\x81\xa0\xff abcxyz#?") for _ in range(draw.randrange(40)))
    return draw.choice([
        b"", line[:-1], line[:-1] + b"\n", line.replace(b"=", b" "), line.replace(b"=", b""),
        b"%1" + body + b"=\r", b"%1" + body + b"=ERR2\r", b"%1" + body + b"=" + noise + b"\r",
        noise + b"\r" + line, noise + line, line + noise, line[: draw.randrange(len(line))],
        b"%1" + body + b" ?\r" + line, b"PJLINK ERRA\r", b"x" * 5000 + b"\r" + line,
    ])  # fmt: skip


def converse(seed: int, conversations: int, timeout: float) -> Counter[str]:
    """So many conversations, by what came of the power: right, unknown, wrong, absent."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    emulator = Emulator(Projector())
    network_ask_timeout, network_ask._TIMEOUT_S = network_ask._TIMEOUT_S, timeout
    try:
        for _ in range(conversations):
            made = projector(draw)
            emulator.show(made)
            host = Watched(
                kind="projector", host="127.0.0.1", port=emulator.port, password=made.password
            )
            found[_result(made, host)] += 1
    finally:
        network_ask._TIMEOUT_S = network_ask_timeout
        emulator.close()
    return found


def _result(made: Projector, host: Watched) -> str:
    device = network_ask.ask(host)
    if not device.present:
        return "absent"
    if device.power == "unknown":
        return "unknown"
    return "right" if device.power == _POWERS.get(made.power) else "wrong"

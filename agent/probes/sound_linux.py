"""Sound outputs and microphones on Linux, from /proc/asound below a root folder.

An analogue input is reported as a microphone even if nothing is plugged in: the kernel shows the
socket, not the plug. HDMI outputs count only where a display with sound is attached.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache

from agent.probes import sysfs
from agent.probes.runner import Context
from agent.wire import Device

_PCM = re.compile(r"pcm(\d+)([pc])")
_CARD_LINE = re.compile(r"\s*(\d+) \[([^\]]*)\]: (\S+) - (.*)")
#: Drivers of cards without real inputs and outputs.
_NO_SOUND = ("Dummy", "Loopback", "Aloop")
_DIGITAL = ("HDMI", "DisplayPort", "DP")


def sounds(context: Context) -> tuple[Device, ...]:
    """One reading for each output and input of each sound card."""
    asound = f"{context.root}/proc/asound"
    found: list[Device] = []
    for number, card, driver in _cards(asound):
        if not driver.startswith(_NO_SOUND):
            folder = f"{asound}/card{number}"
            nodes = _nodes(folder)
            found.extend(_analogue(folder, nodes, card))
            found.extend(_over_displays(folder, nodes, card))
    return tuple(found)


def _cards(asound: str) -> Iterator[tuple[int, str, str]]:
    """Number, id and driver of each card."""
    for line in _text(f"{asound}/cards").splitlines():
        if match := _CARD_LINE.fullmatch(line):
            yield int(match[1]), match[2].strip(), match[3]


def _analogue(folder: str, nodes: list[str], card: str) -> Iterator[Device]:
    for node in nodes:
        match = _PCM.fullmatch(node)
        info = _fields(_text(f"{folder}/{node}/info")) if match else {}
        name = info.get("name") or info.get("id", "")
        if match is None or info.get("id", "").startswith(_DIGITAL):
            continue
        yield Device(
            kind="sound" if match[2] == "p" else "microphone",
            connector=f"{card}:{match[1]}"[:256],
            name=name[:256],
        )


def _over_displays(folder: str, nodes: list[str], card: str) -> Iterator[Device]:
    """Outputs over HDMI or DisplayPort; the ELD describes the sound of the attached display."""
    for node in nodes:
        if not node.startswith("eld#"):
            continue
        fields = _fields(_text(f"{folder}/{node}"))
        if fields.get("monitor_present") == "1" and fields.get("eld_valid") == "1":
            name = fields.get("monitor_name", "")
            yield Device(kind="sound", connector=f"{card}:{node}"[:256], name=name[:256])


@lru_cache(maxsize=64)  # the texts hardly ever change
def _fields(text: str) -> dict[str, str]:
    """Lines `key: value` or `key<spaces>value`."""
    pairs = (re.split(r":\s*|\s+", line, maxsplit=1) for line in text.splitlines())
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def _nodes(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # the card was unplugged meanwhile
        return []


def _text(path: str) -> str:
    return sysfs.read(path).decode("utf-8", "replace")

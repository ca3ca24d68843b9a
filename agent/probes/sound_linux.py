"""Sound outputs and microphones on Linux, from /proc/asound below a root.

An analogue input is told as a microphone although nothing may be plugged into it: the kernel
shows the socket, not the plug. HDMI outputs count only where a display with sound is attached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agent.wire import Device

_PCM = re.compile(r"pcm(\d+)([pc])")
_CARD_LINE = re.compile(r"\s*(\d+) \[([^\]]*)\]: (\S+) - (.*)")
#: Drivers of cards that make and take no sound.
_NO_SOUND = ("Dummy", "Loopback", "Aloop")
_DIGITAL = ("HDMI", "DisplayPort", "DP")


def sounds(root: Path) -> tuple[Device, ...]:
    """One reading for each output and input of each sound card."""
    asound = root / "proc/asound"
    found: list[Device] = []
    for number, card, driver in _cards(asound):
        if not driver.startswith(_NO_SOUND):
            folder = asound / f"card{number}"
            found.extend(_analogue(folder, card))
            found.extend(_over_displays(folder, card))
    return tuple(found)


def _cards(asound: Path) -> Iterator[tuple[int, str, str]]:
    """Number, id and driver of each card."""
    for line in _text(asound / "cards").splitlines():
        if match := _CARD_LINE.fullmatch(line):
            yield int(match[1]), match[2].strip(), match[3]


def _analogue(folder: Path, card: str) -> Iterator[Device]:
    for pcm in _entries(folder):
        match = _PCM.fullmatch(pcm.name)
        info = _fields(_text(pcm / "info")) if match else {}
        name = info.get("name") or info.get("id", "")
        if match is None or info.get("id", "").startswith(_DIGITAL):
            continue
        yield Device(
            kind="sound" if match[2] == "p" else "microphone",
            connector=f"{card}:{match[1]}"[:256],
            name=name[:256],
        )


def _over_displays(folder: Path, card: str) -> Iterator[Device]:
    """Outputs over HDMI or DisplayPort: the ELD is what the attached display says of sound."""
    for eld in _entries(folder):
        if not eld.name.startswith("eld#"):
            continue
        fields = _fields(_text(eld))
        if fields.get("monitor_present") == "1" and fields.get("eld_valid") == "1":
            name = fields.get("monitor_name", "")
            yield Device(kind="sound", connector=f"{card}:{eld.name}"[:256], name=name[:256])


def _fields(text: str) -> dict[str, str]:
    """Lines `key: value` or `key<spaces>value`."""
    pairs = (re.split(r":\s*|\s+", line, maxsplit=1) for line in text.splitlines())
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a card unplugged between two looks
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

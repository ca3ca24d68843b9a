"""Chinese first, English by `--lang en`: what users read is written as a pair."""

from __future__ import annotations

from typing import Literal

Lang = Literal["zh", "en"]
_chosen: Lang = "zh"


def choose(lang: Lang) -> None:
    """Set the language of everything said from now on."""
    global _chosen
    _chosen = lang


def chosen() -> Lang:
    """The language in force."""
    return _chosen


def say(zh: str, en: str) -> str:
    """The one of the pair that the user reads."""
    return zh if _chosen == "zh" else en

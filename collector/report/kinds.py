"""Which indicators a figure has, and of what kind they are: asked here alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.common.vocabulary.indicators import SHORT
from agent.common.vocabulary.words import Words
from collector.compliance.model import INDICATORS, Figure, Indicator


def every(figure: Figure) -> Sequence[Indicator]:
    """The indicators that were judged, in their order."""
    return INDICATORS


def rule(indicator: Indicator) -> str:
    """The rule that judges it: multimedia, computer_room or line."""
    return indicator


def of_classes(indicator: Indicator) -> bool:
    """Whether its unit is a class; else it is a school."""
    return indicator == "multimedia"


def short_words(figure: Figure, indicator: Indicator) -> Words:
    """Its name for narrow cells, in both languages."""
    return SHORT[indicator]


def short(figure: Figure, indicator: Indicator) -> str:
    """The same in the language in force."""
    return str(short_words(figure, indicator))

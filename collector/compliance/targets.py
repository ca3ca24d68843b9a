"""Whether a share passes its target, and the note on that target. Pure."""

from __future__ import annotations

from fractions import Fraction

from agent.common.language import say
from agent.common.vocabulary import targets
from agent.common.vocabulary.targets import Target
from agent.common.vocabulary.words import Words
from collector import indicator_settings
from collector.compliance.model import Figure, Indicator


def threshold(figure: Figure, indicator: Indicator = "line") -> float:
    """The threshold of a line's indicator, in Mbit/s."""
    settings = figure.settings
    row = settings.indicators.get(indicator, indicator_settings.Indicator())
    return indicator_settings.threshold(indicator, row, settings.threshold_mbps)


def words(figure: Figure, indicator: Indicator) -> Words:
    """The indicator's name in both languages: the settings', or made from its threshold."""
    settings = figure.settings
    row = settings.indicators.get(indicator, indicator_settings.Indicator())
    return indicator_settings.title_of(indicator, row, settings.threshold_mbps)


def name(figure: Figure, indicator: Indicator) -> str:
    """The indicator's name as users read it."""
    return str(words(figure, indicator))


def short_words(figure: Figure, indicator: Indicator) -> Words:
    """The same for the head of a column."""
    settings = figure.settings
    row = settings.indicators.get(indicator, indicator_settings.Indicator())
    return indicator_settings.short_of(indicator, row, settings.threshold_mbps)


def short(figure: Figure, indicator: Indicator) -> str:
    """The same in the language in force."""
    return str(short_words(figure, indicator))


def unit(indicator: Indicator) -> str:
    """What one unit of it is: `class` or `school`."""
    return indicator_settings.known(indicator).unit


def rule(indicator: Indicator) -> str:
    """The rule that judges it."""
    return indicator_settings.known(indicator).rule


def target(figure: Figure, indicator: Indicator) -> Target | None:
    """What the share is compared with; None where no document asks for this threshold."""
    rows = indicator_settings.rows_of(indicator, figure.settings.targets)
    return targets.target(indicator, figure.year, threshold(figure, indicator), rows)


def documents(figure: Figure) -> str:
    """The documents that the targets of the figure come from, each with its year."""
    rows = [row for name in figure.indicators if (row := target(figure, name))]
    named = dict.fromkeys(
        say(f"{row.document}（{row.year} 年）", f"{row.document} ({row.year})") for row in rows
    )
    return say("、", ", ").join(named) or say("没有", "none")


def goal(row: Target | None) -> Fraction | None:
    """The share asked for."""
    return None if row is None else row.value


def applies(row: Target | None, year: int) -> bool:
    """Whether a share of `year` can pass or fail: in the target's own year only."""
    return row is not None and row.year == year


def passed(share: Fraction | None, row: Target | None, year: int) -> bool | None:
    """Whether the share reaches the target; None if there is nothing to pass or fail."""
    if share is None or row is None or not applies(row, year):
        return None
    return share >= row.value


def remark(row: Target | None, year: int) -> str:
    """「对照 2020 年目标」 for another year's row, 「没有目标」 without any; else empty."""
    return str(targets.remark(row, year))

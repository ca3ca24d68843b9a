"""Indicators and targets as settings: what may be set, checked, joined with the default. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from agent.common.language import say
from agent.common.vocabulary import targets
from agent.common.vocabulary.indicators import INDICATORS, KNOWN, Known, short, title
from agent.common.vocabulary.words import Words

Rule = Literal[
    "", "multimedia", "computer_room", "line", "connected", "all_classes", "any_room",
    "resource_package", "teacher_space",
]  # fmt: skip
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Indicator(Struct, frozen=True, forbid_unknown_fields=True):
    """One indicator; what is not set is as `KNOWN` has it."""

    on: bool = True
    rule: Rule = ""  # only of an id that is not known, and then "line"
    threshold_mbps: Annotated[float, Meta(gt=0)] | None = None
    zh: str = ""  # title, if it is not to be made from the threshold
    en: str = ""


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A dated row: the share that a document asks for by the end of a year."""

    indicator: str
    document: Annotated[str, Meta(min_length=1)]
    year: Annotated[int, Meta(ge=2000, le=9999)]
    value: Annotated[float, Meta(gt=0, le=1)]  # 0.8 is 80%
    threshold_mbps: Annotated[float, Meta(gt=0)] | None = None


Indicators = Mapping[str, Indicator]


class Rules(Protocol):
    """The part of `[figure]` that this module reads."""

    @property
    def threshold_mbps(self) -> float:
        """In Mbit/s."""

    @property
    def indicators(self) -> Indicators:
        """By id."""

    @property
    def targets(self) -> Sequence[Target]:
        """Dated rows."""


def default_indicators() -> dict[str, Indicator]:
    """The three of the method."""
    return {name: Indicator() for name in INDICATORS}


DEFAULT_TARGETS = tuple(
    Target(
        row.indicator, row.document, row.year, float(row.value),
        None if row.threshold_mbps is None else float(row.threshold_mbps),
    )
    for row in targets.TARGETS
)  # fmt: skip


def joined(given: Indicators) -> dict[str, Indicator]:
    """The default ones and those of the settings, without any that is off; known ones first."""
    merged = {**default_indicators(), **given}
    order = [name for name in KNOWN if name in merged]
    order += [name for name in merged if name not in KNOWN]
    return {name: merged[name] for name in order if merged[name].on}


def joined_targets(given: Sequence[Target]) -> tuple[Target, ...]:
    """The default rows and those of the settings; one of the same year replaces the default."""
    merged = {_key(row): row for row in (*DEFAULT_TARGETS, *given)}
    return tuple(merged.values())


def _key(row: Target) -> tuple[str, int, float | None]:
    return row.indicator, row.year, row.threshold_mbps


def known(name: str) -> Known:
    """What is known of an id; one of our users' own is a line's."""
    return KNOWN.get(name) or KNOWN["line"]


def threshold(name: str, row: Indicator, default_mbps: float) -> float:
    """The threshold of a line in Mbit/s; `default_mbps` is `[figure] threshold_mbps`."""
    of_id = KNOWN[name].threshold_mbps if name in KNOWN else None
    return row.threshold_mbps or of_id or default_mbps


def thresholds(rules: Rules) -> list[float]:
    """The line thresholds in use, in Mbit/s; the default one always, as lines are listed by it."""
    used = [
        threshold(name, row, rules.threshold_mbps)
        for name, row in rules.indicators.items()
        if known(name).rule == "line"
    ]
    return list(dict.fromkeys([rules.threshold_mbps, *used]))


def title_of(name: str, row: Indicator, default_mbps: float) -> Words:
    """The title that is set, else the one made from the threshold."""
    made = title(name, threshold(name, row, default_mbps))
    return Words(row.zh or made.zh, row.en or made.en)


def short_of(name: str, row: Indicator, default_mbps: float) -> Words:
    """The title for the head of a column."""
    return short(name, threshold(name, row, default_mbps))


def rows_of(name: str, rows: Sequence[Target]) -> tuple[targets.Target, ...]:
    """The target rows of an indicator; those of `line` hold for every line of their threshold."""
    names = {name, "line"} if known(name).rule == "line" else {name}
    return tuple(
        targets.Target(
            name, row.document, row.year, Fraction(repr(row.value)),
            None if row.threshold_mbps is None else Fraction(repr(row.threshold_mbps)),
        )
        for row in rows
        if row.indicator in names
    )  # fmt: skip


def newest_target(name: str, rules: Rules) -> float | None:
    """The newest target in percent, for what has no year of its own; None without one."""
    mbps = threshold(name, rules.indicators[name], rules.threshold_mbps)
    row = targets.target(name, dt.MAXYEAR, mbps, rows_of(name, rules.targets))
    return None if row is None else float(row.value * 100)


def problems(indicators: Indicators, rows: Sequence[Target]) -> Iterator[tuple[str, str]]:
    """What cannot be used: the key below `figure`, and what is wrong with the fix."""
    for name, row in indicators.items():
        for key, text in _wrong(name, row):
            yield f"indicators.{name}{key}", text
    if not joined(indicators):
        yield "indicators", say("没有一个指标是打开的：至少留一个", "none is on: leave one on")
    seen: set[tuple[str, int, float | None]] = set()
    for number, target in enumerate(rows):
        for key, text in _wrong_target(target, indicators):
            yield f"targets[{number}]{key}", text
        if _key(target) in seen:
            yield (
                f"targets[{number}]",
                say(
                    f"{target.indicator} 在 {target.year} 年已有一行目标：留一行",
                    f"a second row of {target.indicator} for {target.year}: leave one",
                ),
            )
        seen.add(_key(target))


def _wrong(name: str, row: Indicator) -> Iterator[tuple[str, str]]:
    if name not in KNOWN:
        yield from _wrong_own(name, row)
        return
    is_line = KNOWN[name].rule == "line"
    if row.rule not in ("", KNOWN[name].rule):
        rule = KNOWN[name].rule
        yield ".rule", say(f"{name} 的规则只能是 {rule}：删去", f"the rule of {name} is {rule}")
    if row.threshold_mbps is not None and (not is_line or name == "line"):
        text = (
            say("line 的门限写在 figure.threshold_mbps", "set figure.threshold_mbps instead")
            if is_line
            else say("只有线路有门限：删去", "only lines have a threshold: remove it")
        )
        yield ".threshold_mbps", text


def _wrong_own(name: str, row: Indicator) -> Iterator[tuple[str, str]]:
    if not _ID.fullmatch(name):
        yield "", say("代号用小写字母、数字和 _", "an id is of small letters, digits and _")
    if row.rule != "line":
        listed = ", ".join(KNOWN)
        yield (
            "",
            say(
                f'没有这个指标；已知的有 {listed}；自定义的要写 rule = "line" 和 threshold_mbps',
                f'no such indicator; known are {listed}; one of your own needs rule = "line" and '
                "threshold_mbps",
            ),
        )
    elif row.threshold_mbps is None:
        yield ".threshold_mbps", say("要填门限，如 50.0", "needs a threshold, as 50.0")


def _wrong_target(row: Target, indicators: Indicators) -> Iterator[tuple[str, str]]:
    if row.indicator not in KNOWN and row.indicator not in indicators:
        listed = ", ".join(KNOWN)
        yield (
            ".indicator",
            say(
                f"没有指标 {row.indicator}；已知的有 {listed}",
                f"no indicator {row.indicator}; known are {listed}",
            ),
        )
    elif (known(row.indicator).rule == "line") != (row.threshold_mbps is not None):
        yield (
            ".threshold_mbps",
            (
                say("只有线路有门限：删去", "only lines have a threshold: remove it")
                if row.threshold_mbps is not None
                else say("线路的目标要写门限，如 10.0", "a line's target needs one, as 10.0")
            ),
        )

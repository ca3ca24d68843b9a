"""How lines are tested and PCs report, set for the city, a district, a school or a line. Pure.

Each scope has a layer of values. For each value the narrowest scope that sets it wins; one that no
scope sets comes from the settings. Scopes are written `city`, `district:630102`,
`school:9900000001` and `line:9900000001/主线`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from agent.common import decoding
from agent.common.language import say
from collector.roster.layers import NAMES, Layer, Layers
from collector.roster.register import Line, Register

_SCOPE = re.compile(r"city|district:[0-9]{6}|school:[0-9]{10}|line:[0-9]{10}/.{1,256}", re.ASCII)


class Value(NamedTuple):
    """A value in force, and the scope that set it; `default` if none did."""

    value: Any
    scope: str


def parse(pairs: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Values of `KEY=VALUE` words, and messages on wrong ones; None, from an empty text, unsets."""
    values: dict[str, Any] = {}
    problems = []
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign or key not in NAMES:
            form = f"KEY=VALUE ({', '.join(NAMES)})"
            problems.append(say(f"{pair}: 要写成 {form}", f"{pair}: must be {form}"))
            continue
        values[key] = None if text == "" else text
        problems += check({key: values[key]})
    return values, problems


def check(values: Mapping[str, Any]) -> list[str]:
    """Messages on what is wrong with values, by name."""
    problems = []
    for key, value in values.items():
        try:
            layer = convert({key: value})
        except msgspec.ValidationError as error:
            problems.append(f"{key} = {value!r}: {error}")
            continue
        if layer.server is not None and not _is_address(layer.server):
            text = say("要写成 http://主机:端口", "must be http://host:port")
            problems.append(f"{key} = {value!r}: {text}")
    return problems


def convert(values: Mapping[str, Any]) -> Layer:
    """Values as a layer.

    Raises:
        msgspec.ValidationError: an unknown name, or a value of a wrong type or range.
    """
    return decoding.convert(dict(values), Layer, strict=False)


def scope_of(word: str) -> str:
    """The scope that a word means: a district's code, a school's and a line may stand alone."""
    for form, kind in (
        (r"[0-9]{10}/.+", "line"),
        (r"[0-9]{10}", "school"),
        (r"[0-9]{6}", "district"),
    ):
        if re.fullmatch(form, word, re.ASCII):
            return f"{kind}:{word}"
    return word


def check_scope(scope: str, register: Register) -> list[str]:
    """Messages if a scope is badly formed or not in the register."""
    if not _SCOPE.fullmatch(scope):
        form = "city | district:CODE | school:CODE | line:CODE/NAME"
        return [say(f"{scope}: 范围要写成 {form}", f"{scope}: a scope is {form}")]
    kind, _, name = scope.partition(":")
    if _known(kind, name, register):
        return []
    return [say(f"{scope}: 台账里没有", f"{scope}: not in the register")]


def _known(kind: str, name: str, register: Register) -> bool:
    if kind == "district":
        return any(row.responsible == name for row in register.schools.values())
    if kind == "school":
        return name in register.schools
    return kind == "city" or any(f"{row.school}/{row.line}" == name for row in register.lines)


def scopes(register: Register, school: str, line: Line | None = None) -> list[str]:
    """The scopes that apply to a school, or to one of its lines; the widest first."""
    found = ["city", f"district:{register.district_of(school)}", f"school:{school}"]
    return found if line is None else [*found, _line_scope(line)]


def merged(layers: Layers, holding: Sequence[str], defaults: Mapping[str, Any]) -> dict[str, Value]:
    """Every value in force and where it comes from; `holding` as `scopes` gives it."""
    values = {name: Value(defaults.get(name), "default") for name in NAMES}
    for scope in holding:
        layer = layers.get(scope)
        values |= {} if layer is None else dict(_given(layer, scope))
    return values


def _given(layer: Layer, scope: str) -> Iterator[tuple[str, Value]]:
    for name in NAMES:
        value = getattr(layer, name)
        if value is not None:
            yield name, Value(value, scope)


def _line_scope(line: Line) -> str:
    return f"line:{line.school}/{line.line}"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        if re.search(r"[\s\x00-\x1f]", text):  # urlsplit silently drops some of these
            return False
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False

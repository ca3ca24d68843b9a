"""Which words of a board are in another language than the board's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.common.vocabulary.words import Lang

_CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]+")
_LATIN = re.compile(r"[A-Za-z]{2,}")
#: What a Chinese text may write in Latin letters: what one types, files, units, proper names.
_TYPED = re.compile(
    r"`[^`]*`|schoolpulse(-agent)?( [a-z]+)*( --[a-z]+)*|[a-z]+\.[a-z_]+|\w+_\w+"
    r"|\b(Mbit/s|km|[kMG]?b/s|[kMGT]i?B|ms|min)\b|/min"
    r"|\b(Wi-Fi|MQTT|CA|HDMI|USB|VPN|SNMP|PJLink|http)\b"
)


def foreign(text: str, lang: Lang) -> list[str]:
    """The words of `text` that are not in the language."""
    if lang == "en":
        return [found for found in _CHINESE.findall(text) if found != "—"]
    return _LATIN.findall(_TYPED.sub(" ", text))


def said(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything of a board that a person reads: where it stands, and the text."""
    yield "title", board["title"]
    yield "description", board["description"]
    for variable in board["templating"]["list"]:
        yield "variable", variable["label"]
    for panel in board["panels"]:
        for text in _panel(panel):
            yield panel.get("title", ""), text


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    yield panel.get("title", "").replace("$version", "")
    yield re.sub(r"^schoolpulse-[a-z-]+$", "", panel.get("description", ""))
    yield str(panel.get("options", {}).get("content", ""))
    for target in panel.get("targets", ()):
        yield from _headings(panel, target["query"])
    for step in panel.get("transformations", ()):
        yield from step["options"].get("renameByName", {}).values()
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    yield from _properties(config["defaults"])
    for override in config["overrides"]:
        yield from _properties({one["id"]: one["value"] for one in override["properties"]})


def _headings(panel: Mapping[str, Any], query: str) -> Iterator[str]:
    """Names that a question gives its columns and the panel shows as they are."""
    hidden: set[str] = set()
    for step in panel.get("transformations", ()):
        hidden |= {
            *step["options"].get("excludeByName", ()),
            *step["options"].get("renameByName", ()),
        }
    outer = re.match(r"SELECT (.*?) FROM", query)
    options = panel.get("options", {})
    nameless = options.get("textMode") == "value" or panel["type"] == "geomap"
    for name in re.findall(r'AS "([^"]*)"', outer[1] if outer else ""):
        if name not in hidden | {"n", "code"} and not nameless:
            yield name


def _properties(found: Mapping[str, Any]) -> Iterator[str]:
    yield found.get("noValue", "")
    yield found.get("displayName", "")
    unit = found.get("unit", "")
    if unit.startswith("suffix:"):
        yield unit.removeprefix("suffix:")
    for link in found.get("links", ()):
        yield link["title"]
    for mapping in found.get("mappings", ()):
        yield from _mapped(mapping["options"])


def _mapped(options: Mapping[str, Any]) -> Iterator[str]:
    if "result" in options:
        yield options["result"]["text"]
    else:
        yield from (one["text"] for one in options.values())

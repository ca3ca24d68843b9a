"""Every code that a board shows has a word, and it is the vocabulary's, in the board's language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from agent.common.vocabulary import devices, indicators, reasons, states, verdicts
from agent.common.vocabulary.words import LANGS, Lang, Words
from collector.schema import MEASUREMENTS, TAGS
from collector.schema.codes import CODES
from collector.schema.types import codes_of
from dashboards import alerts, build, thresholds
from dashboards.edition import Edition

#: Table of the schema -> every text that a field of its codes can hold, and its words.
TEXTS: Mapping[str, Mapping[str, Words]] = {
    "VERDICTS": verdicts.VERDICTS,
    "EVENTS": states.EVENTS,
    "KINDS": devices.KINDS,
    "FAULTS": {
        **dict(devices.stored_faults()),
        **{old: devices.FAULTS[code] for old, code in devices.OLD.items()},
    },
    "REASONS": {
        **dict(reasons.stored()),
        **{old: reasons.REASONS[code] for old, code in reasons.OLD.items()},
    },
}
#: Where codes stand on the boards; the walk below must find no less.
COLUMNS = {
    ("equipment", "Faults open", "kind"), ("equipment", "Faults open", "detail"),
    ("equipment", "Missing", "kind"),
    ("lines", "Lines measured", "verdict"), ("lines", "Not measured", "verdict"),
    ("lines", "Under the contract", "verdict"), ("lines", "Why tests do not count", "reason"),
    *((board, indicators.title(name).en, name)
      for board in ("overview", "school") for name in indicators.INDICATORS),
    ("school", "Lines", "verdict"), ("school", "Devices", "kind"),
    ("school", "Faults and changes", "kind"), ("school", "Faults and changes", "event"),
    ("school", "Faults and changes", "detail"),
}  # fmt: skip
_ITEM = re.compile(r'(?:(\w+)\()?"(\w+)"\)?(?: AS "([^"]+)")?')


class Column(NamedTuple):
    """A column of codes on a panel: the field or tag, its table of codes, and its heading."""

    field: str
    codes: str
    heading: str


def coded(panel: Mapping[str, Any]) -> Iterator[Column]:
    """The columns of a panel that hold codes, as its questions name them."""
    organize = next(
        (t["options"] for t in panel.get("transformations", ()) if t["id"] == "organize"), {}
    )
    for target in panel.get("targets", ()):
        for measurement, name, shown in _selected(target):
            field = MEASUREMENTS[measurement].fields.get(name)
            codes = field.codes if field else codes_of(TAGS.get(name, ""))
            if codes and not organize.get("excludeByName", {}).get(shown):
                yield Column(name, codes, organize.get("renameByName", {}).get(shown, shown))


def _selected(target: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Measurement, name and heading of what a question gives back; counts give no codes."""
    text = target["query"]
    measurement = re.search(r'FROM "(\w+)"', text)[1]  # type: ignore[index]
    # Of a question over another one, the outer's columns, which have the inner's names.
    for function, name, heading in _ITEM.findall(re.match(r"SELECT (.*?) FROM", text)[1]):  # type: ignore[index]
        if function in ("", "last", "DISTINCT"):
            yield measurement, name, heading or name
    for grouped in re.finditer(r"GROUP BY ([^)]*)", text):
        before = text[: grouped.start()]
        outer = before.count("(") == before.count(")")
        for tag in re.findall(r'"(\w+)"', grouped[1]):
            if outer and target["resultFormat"] == "table":
                yield measurement, tag, tag


def mapped(panel: Mapping[str, Any], heading: str) -> list[dict[str, Any]]:
    """The value mappings of a column: its own, else the panel's."""
    config = panel["fieldConfig"]
    for override in config["overrides"]:
        if override["matcher"] == {"id": "byName", "options": heading}:
            for one in override["properties"]:
                if one["id"] == "mappings":
                    return list(one["value"])
    return list(config["defaults"].get("mappings", ()))


def panels(lang: Lang) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, make in build.BOARDS.items():
        for panel in make(Edition(lang))["panels"]:
            yield name, panel


@pytest.mark.parametrize("lang", LANGS)
def test_each_column_of_codes_shows_exactly_the_vocabularys_words(lang: Lang) -> None:
    for board, panel in panels(lang):
        for column in coded(panel):
            where = f"{board}/{panel['title']}/{column.heading}"
            values = [m["options"] for m in mapped(panel, column.heading) if m["type"] == "value"]
            shown = {code: one["text"] for options in values for code, one in options.items()}
            assert shown == {code: words.of(lang) for code, words in TEXTS[column.codes].items()}, (
                where
            )


def test_the_walk_finds_the_columns_that_are_there() -> None:
    found = {(b, panel["title"], c.field) for b, panel in panels("en") for c in coded(panel)}
    assert found == COLUMNS


def test_a_column_without_its_mapping_is_noticed() -> None:
    """The walk itself: the same panel without its mappings has none."""
    (why,) = (panel for _, panel in panels("en") if panel["title"] == "Why tests do not count")
    bare = {**why, "fieldConfig": {"defaults": {}, "overrides": []}}
    (column,) = coded(bare)
    assert mapped(why, column.heading)
    assert mapped(bare, column.heading) == []


@pytest.mark.parametrize("lang", LANGS)
def test_an_older_reason_with_a_number_has_its_word(lang: Lang) -> None:
    (why,) = (p for _, p in panels(lang) if "reason" in {c.field for c in coded(p)})
    (column,) = coded(why)
    (numbered,) = (m["options"] for m in mapped(why, column.heading) if m["type"] == "regex")
    assert re.search(numbered["pattern"].strip("/"), "other traffic 12%")
    assert numbered["result"]["text"] == reasons.REASONS["other_traffic"].of(lang)


@pytest.mark.parametrize("lang", LANGS)
def test_an_alert_shows_no_code(lang: Lang) -> None:
    text = json.dumps(alerts.groups(Edition(lang), str))
    labels = set(re.findall(r"\$labels\.(\w+)", text))
    assert {"school", "line", "room"} == labels
    assert not any(codes_of(TAGS[label]) for label in labels)
    assert not set(CODES) & set(re.findall(r"\w+", text))


@pytest.mark.parametrize(("lang", "of"), [("zh", "100M 以上"), ("en", "100 Mbit/s")])
def test_boards_and_alerts_are_made_for_the_threshold(lang: Lang, of: str) -> None:
    edition = Edition(lang, 100.0)
    text = json.dumps([make(edition) for make in build.BOARDS.values()], ensure_ascii=False)
    text += json.dumps(alerts.groups(edition, str), ensure_ascii=False)
    assert of in text
    assert not re.search(r"(?<!\d)10 ?M(bit|\b)|9\.7", text)
    (slow,) = (rule for rule in alerts.rules(edition) if rule.uid == "schoolpulse-line-slow")
    assert slow.condition.startswith("$A < 97 ")
    assert all('"contract_mbps" >= 100 ' in question.text for question in slow.asked)
    (tests,) = (
        panel for panel in build.BOARDS["school"](edition)["panels"]
        if panel["title"] in ("线路测试", "Line tests")
    )  # fmt: skip
    assert tests["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 100.0


@pytest.mark.parametrize(("mbps", "goal"), [(10.0, 80.0), (100.0, None)])
def test_a_threshold_without_a_target_colours_nothing(mbps: float, goal: float | None) -> None:
    edition = Edition("en", mbps)
    panels = build.BOARDS["overview"](edition)["panels"]
    mine = [panel for panel in panels if panel["title"] == edition.title("line")]
    (number,) = (panel for panel in mine if panel["type"] == "stat")
    steps = number["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    assert [step["value"] for step in steps] == ([None, 0, goal] if goal else [None, 0])
    assert (thresholds.ORANGE in [step["color"] for step in steps]) == (goal is not None)
    asked = [t["query"] for panel in mine for t in panel.get("targets", ())]
    assert any('"target"' in query for query in asked) == (goal is not None)


def test_the_command_builds_by_the_settings(tmp_path: Any) -> None:
    from agent.common.command_line import main
    from collector.cli import COMMANDS

    config = tmp_path / "collector.toml"
    config.write_text("[figure]\nthreshold_mbps = 100\n")
    given = ["dashboards", "build", "--out", str(tmp_path / "out"), "--config", str(config)]
    assert main("schoolpulse", COMMANDS, given) == 0
    text = (tmp_path / "out/zh/overview.json").read_text("utf-8")
    assert "100M 以上带宽接入比例" in text
    assert "$A < 97 " in (tmp_path / "out/zh/rules.yaml").read_text("utf-8")

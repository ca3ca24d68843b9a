"""What hurts now: open problems of the whole city as numbers, each the way to its board."""

from __future__ import annotations

from agent.common.vocabulary.states import PRESENCES, WORKING
from agent.common.vocabulary.words import Lang, Words
from dashboards import equipment, headlines, influxql, lines, operations, thresholds
from dashboards.influxql import Beyond, Where
from dashboards.panels import Json, head
from dashboards.words import ABSENT

_FAULT, _MISSING = WORKING["fault"], PRESENCES["missing"]
_ANYWHERE: Where = {}


def now(lang: Lang) -> list[tuple[int, Json]]:
    """Six numbers side by side."""
    return [
        (4, _events(Words(f"还没修好的{_FAULT.zh}", "Faults open"), "fault", "repaired", lang)),
        (4, _events(Words(f"{_MISSING.zh}了的设备", "Devices missing"), "gone", "appeared", lang)),
        (4, _slow(lang)),
        (4, _silent(lang)),
        (4, headlines.linked(operations.quarantined(lang), _OPEN, "operations", lang)),
        (4, headlines.linked(operations.keeper_pass(lang), _OPEN, "operations", lang)),
    ]


_OPEN = Words("打开看板", "open the board")


def _events(title: Words, began: str, ended: str, lang: Lang) -> Json:
    about = Words(
        "全市的设备数；点数字看名单，久的在上。",
        "Devices of the whole city; a click on the number opens the list, the longest first.",
    )
    inner = equipment.open_events(began, ended, here=_ANYWHERE)
    said = head(lang, title, about, ABSENT)
    made = headlines.how_many(said, "event", "event", inner, headlines.days_judged())
    return headlines.linked(made, _OPEN, "equipment", lang)


def _slow(lang: Lang) -> Json:
    share = thresholds.CONTRACT_SHARE.value
    about = Words(
        f"实测不到合同 {share:.0%} 的线路；点数字看名单，可以拿去和运营商谈。",
        f"Lines measured under {share:.0%} of their contract; a click opens the list to show the "
        "provider.",
    )
    where: Where = {"p90_mbps": Beyond("<", f'{share} * "contract_mbps"')}
    inner = influxql.rows("line_day", ["p90_mbps"], where, influxql.TODAY)
    said = head(lang, lines.UNDER, about, ABSENT)
    alive = headlines.days_judged(influxql.TODAY)
    made = headlines.how_many(said, "line_day", "p90_mbps", inner, alive)
    return headlines.linked(made, _OPEN, "lines", lang)


def _silent(lang: Lang) -> Json:
    return headlines.linked(operations.silent_count(lang, _ANYWHERE), _OPEN, "operations", lang)

"""The districts on the overview: all indicators in one table, and each with its verdicts."""

from __future__ import annotations

from collections.abc import Iterator

from agent.common.vocabulary import indicators
from agent.common.vocabulary.indicators import SHARES
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Lang, Words
from dashboards import headlines, influxql, panels, tables
from dashboards.edition import Edition
from dashboards.influxql import Where
from dashboards.panels import Json, Query, head

_EMPTY = Words(
    "还没有指标：请检查采集服务是否在运行（schoolpulse doctor），或把时间范围放宽",
    "no indicator yet: see whether the collector runs (schoolpulse doctor), or widen the time",
)
_VERIFIED = SHARES["verified_share"]
_COUNTS = {"all": Words("总数", "all"), **VERDICTS}
#: With more indicators than this side by side a table cannot be read.
_AT_ONCE = 4


def together(edition: Edition) -> Json:
    """Districts × indicators: each share against its target, and what is missing to it."""
    lang = edition.lang
    about = Words(
        f"各责任单位最近一天的{_VERIFIED.zh}，旁边是离目标{headlines.TO_GO.zh}多少。蓝色达到目标，橙色没有。"
        "差在哪一项，看下面的细目；点名称打开它的线路。",
        f"Each responsible unit's newest {_VERIFIED.en}, and how many are {headlines.TO_GO.en} to "
        "the target. Blue: met; orange: not. Where the rest lies: the details below. A click on "
        "the name opens its lines.",
    )
    said = head(lang, Words("各区县", "Districts"), about, _EMPTY)
    shown = list(edition.indicators)[:_AT_ONCE]
    name = tables.DISTRICT.title.of(lang)
    made = panels.table(said, _asked(shown[0], name, edition), {}, list(_overrides(shown, edition)))
    for indicator in shown[1:]:
        panels.also(made, _asked(indicator, name, edition))
    order = [name, *(column for one in shown for column in _columns(one, edition).values())]
    options: Json = {
        "excludeByName": dict.fromkeys(("Time", "area"), True),
        "renameByName": {},
        "indexByName": {column: place for place, column in enumerate([*order, "code"])},
    }
    organize = {"id": "organize", "options": options}
    # One row a district: the days are the same, and so are name and code.
    made["transformations"] = [{"id": "merge", "options": {}}, organize]
    made["options"]["sortBy"] = [{"displayName": name, "desc": False}]
    return made


def _asked(indicator: str, name: str, edition: Edition) -> Query:
    columns = _columns(indicator, edition)
    fields = {"name": name, "code": "code", "verified_share": columns["share"]}
    computed = {columns["to_go"]: influxql.TO_GO} if "to_go" in columns else {}
    where: Where = {"indicator": indicator, "level": "district"}
    return Query("indicator", influxql.latest("indicator", fields, where, ("area",),
                                              computed=computed))  # fmt: skip


def _columns(indicator: str, edition: Edition) -> dict[str, str]:
    """Headings of one indicator."""
    called = indicators.short(indicator, edition.threshold_mbps).of(edition.lang)
    found = {"share": called}
    if edition.target(indicator) is not None:
        found["to_go"] = f"{called} · {headlines.TO_GO.of(edition.lang)}"
    return found


def _overrides(shown: list[str], edition: Edition) -> Iterator[Json]:
    for indicator in shown:
        columns, target = _columns(indicator, edition), edition.target(indicator)
        share = _share()
        if target is not None:
            steps = headlines.share_steps(target)
            share += [{"id": "thresholds", "value": {"mode": "absolute", "steps": steps}},
                      {"id": "color", "value": {"mode": "thresholds"}}]  # fmt: skip
            yield panels.override(columns["to_go"], headlines.to_go("", edition.lang))
        yield panels.override(columns["share"], share)
    yield panels.override("code", [{"id": "custom.hidden", "value": True}])  # only for the link
    yield _to_lines(tables.DISTRICT.title.of(edition.lang), edition.lang)


def alone(indicator: str, edition: Edition) -> Json:
    """One indicator of each district, with all shares and counts."""
    about = Words(
        f"各责任单位最近一天的数字。先看{_VERIFIED.zh}，再看差在哪一列："
        f"{'、'.join(VERDICTS[name].zh for name in ('declared', 'contradicted', 'short'))}"
        f"还是{VERDICTS['unknown'].zh}。",
        f"Each responsible unit's newest day. Read the {_VERIFIED.en}, then which column holds "
        "the rest: declared, contradicted, short or unknown.",
    )
    lang = edition.lang
    shares = {name: words.of(lang) for name, words in SHARES.items() if name != "target"}
    counts = {name: words.of(lang) for name, words in _COUNTS.items()}
    fields = {"name": tables.DISTRICT.title.of(lang), **shares, "code": "code", **counts}
    where: Where = {"indicator": indicator, "level": "district"}
    query = Query("indicator", influxql.latest("indicator", fields, where, ("area",)))
    renamed = {"Time": Words("日期", "day").of(lang), "code": Words("代码", "code").of(lang)}
    order = {name: place for place, name in enumerate([*fields.values(), "Time"])}
    columns: Json = {"excludeByName": {"area": True}, "indexByName": order, "renameByName": renamed}
    day: list[Json] = [
        {"id": "unit", "value": "time:YYYY-MM-DD"},
        {"id": "custom.width", "value": 110},
    ]
    overrides = [panels.override(column, _share()) for column in shares.values()]
    overrides.append(panels.override(renamed["Time"], day))
    overrides.append(_to_lines(fields["name"], lang))
    said = head(lang, edition.title(indicator), about, _EMPTY)
    return panels.table(said, query, columns, overrides)


def _share() -> list[Json]:
    return [{"id": "unit", "value": "percent"}, {"id": "decimals", "value": 1}]


def _to_lines(column: str, lang: Lang) -> Json:
    """A click on a district opens its lines; the row's code says which."""
    link = tables.district_link(lang)
    link["url"] = link["url"].replace("${__value.raw}", "${__data.fields.code}")
    return panels.override(column, [{"id": "links", "value": [link]}])

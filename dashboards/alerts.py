"""Alert rules for Grafana's own alerting, as files that it reads at its start.

Rules are grouped by district where they have one, and say what to do; see `alert_rules`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql
from dashboards.alert_rules import SCHOOL, Question, Rule, of_platform, of_schools
from dashboards.board import Asked
from dashboards.edition import Edition
from dashboards.panels import Json

FOLDER = Words("校园脉搏 · 告警", "SchoolPulse alerts")
_EXPRESSION = "__expr__"
#: Where that Grafana is, as its own settings say (root_url): a message is read elsewhere.
_GRAFANA = '{{ reReplaceAll "/+$" "" externalURL }}'
#: Retention class -> uid of its data source in the Grafana that takes the rules.
Source = Callable[[str], str]


def rules(edition: Edition) -> list[Rule]:
    """All rules, in the order of the page that explains them."""
    return [*of_schools(edition), *of_platform()]


def queries(edition: Edition) -> Iterator[Asked]:
    """Every query of every rule."""
    for rule in rules(edition):
        for number, question in enumerate(rule.asked):
            retention = influxql.retention(question.measurement)
            yield Asked(rule.title.zh, _letter(number), retention, question.text)


def provisioned(edition: Edition) -> bytes:
    """The rules as Grafana's provisioning reads them; JSON, which YAML 1.2 contains."""
    tree = {"apiVersion": 1, "groups": groups(edition, lambda name: f"schoolpulse-{name}")}
    head = "# Made by `schoolpulse dashboards build` from dashboards/alerts.py; do not edit.\n"
    return (head + json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()


def groups(edition: Edition, source: Source) -> list[Json]:
    """Two groups: schools are evaluated every five minutes, the platform every minute."""
    return [
        _group("schools", "5m", of_schools(edition), edition, source),
        _group("platform", "1m", of_platform(), edition, source),
    ]


def _group(
    name: str, interval: str, found: Sequence[Rule], edition: Edition, source: Source
) -> Json:
    made = [_rule(rule, edition, source) for rule in found]
    return {"orgId": 1, "name": f"schoolpulse-{name}", "folder": FOLDER.of(edition.lang),
            "interval": interval, "rules": made}  # fmt: skip


def _rule(rule: Rule, edition: Edition, source: Source) -> Json:
    lang = edition.lang
    data = [part for n, question in enumerate(rule.asked) for part in _data(n, question, source)]
    condition = rule.condition
    data.append(_expression("Z", {"type": "math", "expression": condition}))
    return {
        "uid": rule.uid,
        "title": rule.title.of(lang),
        "condition": "Z",
        "data": data,
        "noDataState": rule.silence,
        "execErrState": "Error",
        "for": rule.lasting,
        "annotations": {
            "summary": rule.says.of(lang).replace(SCHOOL, _named(edition.schools or {})),
            "runbook_url": f"{_GRAFANA}/d/schoolpulse-runbook-{lang}",
            "board": _board(rule, lang),
        },
        "labels": {"source": "schoolpulse", "urgency": rule.urgency},
    }


def _board(rule: Rule, lang: Lang) -> str:
    chosen = f"?var-school={SCHOOL}" if rule.board == "school" else ""
    return f"{_GRAFANA}/d/schoolpulse-{rule.board}-{lang}{chosen}"


def _named(schools: Mapping[str, str]) -> str:
    """A template of a school's name and code; the code alone for one that is not among `schools`.

    Templates of alerts look nothing up, but replace by pattern: the name is picked out of a list
    by its code. The end of the list is the code itself, for a school that joined later.
    """
    if not schools:
        return SCHOOL
    known = "".join(f"|{code}={_one_line(name)} {code}" for code, name in sorted(schools.items()))
    listed = f'printf "%s|%s=%s|" {json.dumps(known, ensure_ascii=False)} $labels.school'
    pattern = 'printf "^.*?\\\\|%s=([^|]*)\\\\|.*$" $labels.school'
    return f'{{{{ reReplaceAll ({pattern}) "$1" ({listed} $labels.school) }}}}'


def _one_line(name: str) -> str:
    """A name without what parts the list, and without what is not shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    return shown.replace("|", "/").replace("\\", "/")


def _data(number: int, question: Question, source: Source) -> list[Json]:
    """A query (a, b…) and its reduction to one number a series (A, B…)."""
    ref = _letter(number).lower()
    model = {
        "refId": ref, "rawQuery": True, "query": question.text, "resultFormat": "time_series",
        "intervalMs": 60_000, "maxDataPoints": 43_200,
    }  # fmt: skip
    asked = {
        "refId": ref,
        "relativeTimeRange": {"from": 691_200, "to": 0},
        "datasourceUid": source(influxql.retention(question.measurement)),
        "model": model,
    }
    reduced = {"type": "reduce", "expression": ref, "reducer": question.reducer,
               "settings": {"mode": "dropNN"}}  # fmt: skip
    return [asked, _expression(_letter(number), reduced)]


def _expression(ref: str, model: Mapping[str, object]) -> Json:
    target = {"type": _EXPRESSION, "uid": _EXPRESSION}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": _EXPRESSION,
        "model": {"refId": ref, "datasource": target, **model},
    }


def _letter(number: int) -> str:
    return chr(ord("A") + number)

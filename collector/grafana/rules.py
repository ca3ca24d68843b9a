"""Pushes our alert rules to a running Grafana, by uid: those that are missing.

Grafana keeps no message with a rule, so one that differs may be an older one of ours or somebody's
edit: it is named, and replaced only with `--force`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from collector.grafana.boards import Action, Json, Step
from collector.grafana.client import Grafana

_PATH = "/v1/provisioning/alert-rules"
_FOLDER = "schoolpulse-alerts"
_COMPARED = ("title", "condition", "data", "noDataState", "execErrState", "for", "annotations",
             "labels", "ruleGroup")  # fmt: skip
_ADDED = {"queryType", "intervalMs", "maxDataPoints"}
#: With this header the rules stay editable in Grafana's pages.
_EDITABLE = {"X-Disable-Provenance": "true"}


def plan(grafana: Grafana, groups: Sequence[Json]) -> list[Step]:
    """Compare each rule of these groups with the one in Grafana; changes nothing."""
    wanted = [
        {**rule, "ruleGroup": group["name"], "folderUID": _FOLDER, "orgID": 1}
        for group in groups
        for rule in group["rules"]
    ]
    known = _known(grafana)
    return [_step(grafana, rule, known) for rule in wanted]


def carry_out(grafana: Grafana, steps: Sequence[Step], title: str, *, force: bool) -> list[Step]:
    """Push what is planned into a folder of this title; returns the steps taken."""
    wanted = {"create", *(("edited",) if force else ())}
    taken = [step for step in steps if step.action in wanted]
    if taken and grafana.find(f"/folders/{_FOLDER}") is None:
        grafana.ask("POST", "/folders", {"uid": _FOLDER, "title": title})
    for step in taken:
        new = step.action == "create"
        path = _PATH if new else f"{_PATH}/{step.uid}"
        grafana.ask("POST" if new else "PUT", path, step.board, **_EDITABLE)
    return taken


def _known(grafana: Grafana) -> set[str]:
    """The uids of all rules in Grafana: a request for a missing one fails in Grafana 9."""
    folders = grafana.ask("GET", "/ruler/grafana/api/v1/rules") or {}
    return {
        rule["grafana_alert"]["uid"]
        for groups in folders.values()
        for group in groups
        for rule in group["rules"]
    }


def _step(grafana: Grafana, rule: Json, known: set[str]) -> Step:
    there = grafana.ask("GET", f"{_PATH}/{rule['uid']}") if rule["uid"] in known else None
    if there is None:
        return Step("create", rule["uid"], rule["title"], rule)
    differences = list(_differences(there, rule))
    if not differences:
        return Step("same", rule["uid"], rule["title"], rule)
    provided = there.get("provenance") == "file"
    action: Action = "provisioned" if provided else "edited"
    return Step(action, rule["uid"], rule["title"], rule, differences)


def _differences(there: Json, ours: Json) -> Iterator[str]:
    for name in _COMPARED:
        if _plain(there.get(name)) != _plain(ours.get(name)):
            yield f"~ {name}"


def _plain(value: Any) -> Any:
    """The value without the keys that Grafana adds."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in _ADDED}
    return value

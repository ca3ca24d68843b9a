"""Keeps the silences of a running Grafana equal to the mutes in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from agent.common.calendar import start_of
from collector.grafana.client import Grafana
from collector.roster.book.mutes import Mute

_PATH = "/alertmanager/grafana/api/v2"
_WHO = "schoolpulse"
Json = dict[str, Any]


def update(grafana: Grafana, mutes: Sequence[Mute], now: dt.datetime) -> tuple[int, int]:
    """Set a silence for each mute and remove our others; returns how many were set and removed.

    Silences that somebody made in Grafana are not touched.
    """
    there = {_school(row): row for row in _ours(grafana)}
    wanted = {mute.school: _silence(mute, now) for mute in mutes}
    fresh = [s for s, silence in wanted.items() if not _same(there.get(s), silence)]
    for school in fresh:
        known = {"id": there[school]["id"]} if school in there else {}
        grafana.ask("POST", f"{_PATH}/silences", {**known, **wanted[school]})
    gone = [row["id"] for school, row in there.items() if school not in wanted]
    for silence in gone:
        grafana.ask("DELETE", f"{_PATH}/silence/{silence}")
    return len(fresh), len(gone)


def _ours(grafana: Grafana) -> list[Json]:
    rows = grafana.ask("GET", f"{_PATH}/silences") or []
    return [row for row in rows if row["createdBy"] == _WHO and row["status"]["state"] != "expired"]


def _school(row: Json) -> str:
    return next((str(m["value"]) for m in row["matchers"] if m["name"] == "school"), "")


def _silence(mute: Mute, now: dt.datetime) -> Json:
    end = start_of(mute.until + dt.timedelta(days=1))
    school = {"name": "school", "value": mute.school, "isRegex": False, "isEqual": True}
    return {
        "matchers": [school],
        "startsAt": now.astimezone(dt.UTC).isoformat(),
        "endsAt": end.astimezone(dt.UTC).isoformat(),
        "createdBy": _WHO,
        "comment": f"{mute.reason} ({mute.by})",
    }


def _same(there: Json | None, wanted: Json) -> bool:
    if there is None or there["comment"] != wanted["comment"]:
        return False
    ends = (dt.datetime.fromisoformat(row["endsAt"]) for row in (there, wanted))
    return len(set(ends)) == 1

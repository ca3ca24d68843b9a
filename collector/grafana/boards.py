"""Pushes our boards to a running Grafana: those that differ, unless somebody edited them there.

Each push writes a digest of the board into the message of its new version. If the newest version
has any other message, somebody edited the board: it is named, and replaced only with `--force`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.common.language import say
from collector.grafana.client import Grafana

Json = dict[str, Any]
Action = Literal["create", "update", "same", "edited", "provisioned"]
_MESSAGE = "schoolpulse dashboards push"


@dataclass(frozen=True, slots=True)
class Step:
    """What would be done with one board, and how it would differ."""

    action: Action
    uid: str
    title: str
    board: Json
    differences: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of one push, and the folder it goes to."""

    folder: str
    folder_title: str
    make_folder: bool
    steps: Sequence[Step] = field(default_factory=list)


def plan(grafana: Grafana, folder: str, title: str, boards: Sequence[Json]) -> Plan:
    """Compare each board with the one in Grafana; changes nothing."""
    make_folder = grafana.find(f"/folders/{folder}") is None
    return Plan(folder, title, make_folder, [_step(grafana, board) for board in boards])


def carry_out(grafana: Grafana, planned: Plan, *, force: bool) -> list[Step]:
    """Push what is planned, edited boards only with `force`; returns the steps taken."""
    wanted = {"create", "update", *(("edited",) if force else ())}
    taken = [step for step in planned.steps if step.action in wanted]
    if planned.make_folder and taken:
        body = {"uid": planned.folder, "title": planned.folder_title}
        grafana.ask("POST", "/folders", body)
    for step in taken:
        sent: Json = {
            "dashboard": {**step.board, "id": None},
            "folderUid": planned.folder,
            "overwrite": step.action != "create",
            "message": f"{_MESSAGE} {digest(step.board)}",
        }
        grafana.ask("POST", "/dashboards/db", sent)
    return taken


def digest(board: Mapping[str, Any]) -> str:
    """A digest of a board's content, 16 hex digits."""
    text = json.dumps(board, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _step(grafana: Grafana, board: Json) -> Step:
    uid, title = board["uid"], board["title"]
    there = grafana.find(f"/dashboards/uid/{uid}")
    if there is None:
        return Step("create", uid, title, board)
    differences = list(_differences(there["dashboard"], board))
    if there["meta"].get("provisioned"):
        action: Action = "provisioned" if differences else "same"
        return Step(action, uid, title, board, differences)
    newest = _newest(grafana, uid)
    message = str(newest.get("message", ""))
    # A first version has no message: our tag tells whether we made it, or it is a copy.
    if newest.get("version") == 1 and set(board["tags"]) <= {
        *(there["dashboard"].get("tags") or ())
    }:
        same = not differences
        return Step("same" if same else "update", uid, title, board, differences)
    if not message.startswith(_MESSAGE):
        return Step("edited", uid, title, board, differences)
    same = message.endswith(digest(board))
    return Step("same" if same else "update", uid, title, board, () if same else differences)


def _newest(grafana: Grafana, uid: str) -> Json:
    reply = grafana.ask("GET", f"/dashboards/uid/{uid}/versions?limit=1") or []
    versions = reply.get("versions", []) if isinstance(reply, dict) else reply
    return dict(versions[0]) if versions else {}


def _differences(there: Json, ours: Json) -> Iterator[str]:
    """What differs, as text: settings by key, panels by title."""
    for key in sorted(({*there} | {*ours}) - {"id", "version", "panels", "iteration"}):
        if there.get(key) != ours.get(key):
            yield f"{key}"
    before, after = _panels(there), _panels(ours)
    for name in [*after, *(name for name in before if name not in after)]:
        if name not in before:
            yield say(f"+ {name}", f"+ {name}")
        elif name not in after:
            yield f"- {name}"
        elif before[name] != after[name]:
            yield f"~ {name}"


def _panels(board: Json) -> dict[str, Any]:
    return {f"{panel['id']} {panel.get('title', '')}": panel for panel in board.get("panels", ())}

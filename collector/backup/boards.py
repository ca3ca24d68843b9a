"""Grafana's boards in a backup, by its API; ours and those that people made there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from collector.grafana.client import Grafana

_PAGE = 500


def read(grafana: Grafana) -> Iterator[tuple[str, bytes]]:
    """Part name and JSON of every board. Raises RefusedError, which names the fix."""
    page = 1
    while found := grafana.ask("GET", f"/search?type=dash-db&limit={_PAGE}&page={page}") or []:
        for row in found:
            whole = grafana.find(f"/dashboards/uid/{row['uid']}")
            if whole:
                # `dashboards push` knows by it whether somebody edited the board since.
                reply = grafana.ask("GET", f"/dashboards/uid/{row['uid']}/versions?limit=1") or []
                last = reply.get("versions", []) if isinstance(reply, dict) else reply
                whole["message"] = last[0].get("message", "") if last else ""
                yield f"grafana/{row['uid']}.json", msgspec.json.encode(whole)
        if len(found) < _PAGE:
            return
        page += 1


def put(grafana: Grafana, boards: Iterable[bytes]) -> int:
    """Write boards, each into its folder, over what is there; how many.

    What Grafana reads from files is left to them. Raises RefusedError, MsgspecError.
    """
    count = 0
    for data in boards:
        whole: dict[str, Any] = msgspec.json.decode(data)
        meta = whole.get("meta", {})
        if meta.get("provisioned"):
            continue
        folder = meta.get("folderUid", "")
        if folder and grafana.find(f"/folders/{folder}") is None:
            title = meta.get("folderTitle") or folder
            grafana.ask("POST", "/folders", {"uid": folder, "title": title})
        board = {**whole["dashboard"], "id": None}
        sent = {
            "dashboard": board,
            "folderUid": folder,
            "overwrite": True,
            "message": whole.get("message", ""),
        }
        grafana.ask("POST", "/dashboards/db", sent)
        count += 1
    return count

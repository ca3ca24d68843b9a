"""A small Grafana: the replies of 9.3.2 to what we ask, as recorded from the real one.

What it imitates, odd as it is: a folder or board that is not there is 403 to an Editor; the
message of a first version reads "Initial save"; a missing alert rule is a 500.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
TOKEN = "glsa_test"


class Emulator:
    """What stands in the Grafana, and what it was told."""

    def __init__(self) -> None:
        self.version = "9.3.2"
        self.sources = [
            {"uid": "e1", "name": "SchoolPulse evidence", "type": "influxdb"},
            {"uid": "t1", "name": "SchoolPulse telemetry", "type": "influxdb"},
        ]
        self.folders: dict[str, str] = {}
        self.boards: dict[str, list[Json]] = {}  # uid -> versions, oldest first
        self.provisioned: set[str] = set()
        self.rules: dict[str, Json] = {}
        self.silences: list[Json] = []
        self.writes: list[str] = []
        self.url = ""

    def edit(self, uid: str, title: str) -> None:
        """Somebody gives the first panel another title in Grafana's pages."""
        board = copy.deepcopy(self.boards[uid][-1]["data"])
        board["panels"][0]["title"] = title
        self.boards[uid].append({"data": board, "message": ""})

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and reply."""
        if method != "GET":
            self.writes.append(f"{method} {path}")
        for pattern, known in _ROUTES:
            if found := re.fullmatch(pattern, f"{method} {path}"):
                reply: tuple[int, Any] = known(self, *found.groups(), body)
                return reply
        return 404, {"message": "Not found"}


def _folder(server: Emulator, uid: str, _: Any) -> tuple[int, Any]:
    if uid not in server.folders:
        return 403, {"message": "You'll need additional permissions to perform this action."}
    return 200, {"uid": uid, "title": server.folders[uid]}


def _make_folder(server: Emulator, body: Json) -> tuple[int, Any]:
    server.folders[body["uid"]] = body["title"]
    return 200, body


def _board(server: Emulator, uid: str, _: Any) -> tuple[int, Any]:
    if uid not in server.boards:
        return 404, {"message": "Dashboard not found"}
    versions = server.boards[uid]
    data = {**versions[-1]["data"], "id": 7, "version": len(versions)}
    folder = versions[-1].get("folder", "")
    meta = {"provisioned": uid in server.provisioned, "folderUid": folder}
    meta["folderTitle"] = server.folders.get(folder, "")
    return 200, {"dashboard": data, "meta": meta}


def _search(server: Emulator, page: str, _: Any) -> tuple[int, Any]:
    first = (int(page) - 1) * 500
    return 200, [{"uid": uid} for uid in sorted(server.boards)[first : first + 500]]


def _versions(server: Emulator, uid: str, _: Any) -> tuple[int, Any]:
    number = len(server.boards[uid])
    message = "Initial save" if number == 1 else server.boards[uid][-1]["message"]
    return 200, [{"version": number, "message": message}]


def _save(server: Emulator, body: Json) -> tuple[int, Any]:
    board = body["dashboard"]
    if board["uid"] in server.boards and not body["overwrite"]:
        return 412, {"message": "A dashboard with the same uid already exists"}
    kept = {key: value for key, value in board.items() if key != "id"}
    entry = {"data": kept, "message": body["message"], "folder": body["folderUid"]}
    server.boards.setdefault(board["uid"], []).append(entry)
    return 200, {"status": "success"}


def _rule(server: Emulator, uid: str, _: Any) -> tuple[int, Any]:
    if uid not in server.rules:
        return 500, {"message": "could not find alert rule"}
    return 200, server.rules[uid]


def _save_rule(server: Emulator, *rest: Any) -> tuple[int, Any]:
    rule = copy.deepcopy(rest[-1])
    for part in rule["data"]:  # as Grafana fills them in
        part["queryType"] = ""
        part["model"].setdefault("intervalMs", 1000)
    server.rules[rule["uid"]] = rule
    return 201, rule


def _all_rules(server: Emulator, _: Any) -> tuple[int, Any]:
    rows = [{"grafana_alert": {"uid": uid}} for uid in server.rules]
    return 202, {"folder": [{"name": "group", "rules": rows}]} if rows else {}


def _silence(server: Emulator, body: Json) -> tuple[int, Any]:
    server.silences = [row for row in server.silences if row["id"] != body.get("id")]
    row = {**body, "id": f"s{len(server.writes)}", "status": {"state": "active"}}
    server.silences.append(row)
    return 202, {"silenceID": row["id"]}


def _expire(server: Emulator, uid: str, _: Any) -> tuple[int, Any]:
    for row in server.silences:
        if row["id"] == uid:
            row["status"] = {"state": "expired"}
    return 200, {"message": "silence deleted"}


_ROUTES: list[tuple[str, Any]] = [
    ("GET /health", lambda server, _: (200, {"version": server.version})),
    ("GET /org", lambda server, _: (200, {"id": 1})),
    ("GET /datasources", lambda server, _: (200, server.sources)),
    (r"GET /folders/([\w-]+)", _folder),
    ("POST /folders", _make_folder),
    (r"GET /search\?type=dash-db&limit=500&page=(\d+)", _search),
    (r"GET /dashboards/uid/([\w-]+)", _board),
    (r"GET /dashboards/uid/([\w-]+)/versions\?limit=1", _versions),
    ("POST /dashboards/db", _save),
    ("GET /ruler/grafana/api/v1/rules", _all_rules),
    (r"GET /v1/provisioning/alert-rules/([\w-]+)", _rule),
    ("POST /v1/provisioning/alert-rules", _save_rule),
    (r"PUT /v1/provisioning/alert-rules/([\w-]+)", _save_rule),
    ("GET /alertmanager/grafana/api/v2/silences", lambda server, _: (200, server.silences)),
    ("POST /alertmanager/grafana/api/v2/silences", _silence),
    (r"DELETE /alertmanager/grafana/api/v2/silence/(\w+)", _expire),
]


@contextmanager
def running() -> Iterator[Emulator]:
    """The emulator on a free port of 127.0.0.1, below the path /monitor."""
    server = Emulator()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"null")
            path = self.path.removeprefix("/monitor/api")
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            status, reply = (
                server.answer(self.command, path, body)
                if known or path == "/health"
                else (401, {"message": "invalid API key"})
            )
            text = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_port}/monitor"
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield server
        listening.shutdown()
        thread.join()

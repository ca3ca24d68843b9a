"""A Grafana that runs somewhere: its API, by an administrator's login, and its boards as pages."""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from browser import Tab

_ROW_PX = 38  # a row of a board's grid, with its gap
_ABOVE_PX = 60
_PATIENCE_S = 120
#: What is drawn of the page's panels, and whether any is still being filled. A panel below the
#: window is not: the window must be as high as the board.
_STATE = """(() => ({
  panels: document.querySelectorAll('[data-panelid]').length,
  loading: document.querySelectorAll('.panel-loading, [aria-label="Panel loading bar"]').length,
  asked: performance.getEntriesByType('resource').length,
}))()"""
_TEXTS = """[...document.querySelectorAll('[data-panelid]')].map(panel => panel.innerText)"""


_URL = os.environ.get("SCHOOLPULSE_TEST_GRAFANA_URL", "")
_LOGIN = os.environ.get("SCHOOLPULSE_TEST_GRAFANA_LOGIN", "admin:admin")
given = pytest.mark.skipif(not _URL, reason="no Grafana is given")


class Grafana:
    """One server; every request fails with what the server said."""

    def __init__(self, url: str, login: str) -> None:
        self.url = url.rstrip("/")
        self._basic = "Basic " + base64.b64encode(login.encode()).decode()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", self._basic)
        request.add_header("X-Disable-Provenance", "true")  # rules may be changed afterwards
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as reply:
                return json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error

    def add_source(self, name: str, url: str, database: str) -> str:
        """A data source that asks an InfluxDB in InfluxQL; its uid."""
        body = {
            "name": name, "type": "influxdb", "access": "proxy", "url": url,
            "database": database, "jsonData": {"dbName": database, "httpMode": "GET"},
        }  # fmt: skip
        return str(self.ask("POST", "/datasources", body)["datasource"]["uid"])

    def push(self, board: Mapping[str, Any], folder: str = "") -> None:
        """Put a board there, or replace it: in one folder two cannot have the same title."""
        body = {"dashboard": {**board, "id": None}, "folderUid": folder, "overwrite": True}
        assert self.ask("POST", "/dashboards/db", body)["status"] == "success"

    def enter(self, page: Tab) -> None:
        """Log a page in: each of its requests says who asks."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Network.setExtraHTTPHeaders", headers={"Authorization": self._basic})

    def open(
        self, page: Tab, board: Mapping[str, Any], chosen: Mapping[str, str], width: int = 1400,
        height: int = 0,
    ) -> None:  # fmt: skip
        """Show a board until all of its panels are filled; `chosen` are the address's parts."""
        lowest = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in board["panels"])
        size = {"width": width, "height": height or lowest * _ROW_PX + _ABOVE_PX}
        page.call("Emulation.setDeviceMetricsOverride", deviceScaleFactor=1, mobile=False, **size)
        query = urllib.parse.urlencode(chosen)
        page.call("Page.navigate", url=f"{self.url}/d/{board['uid']}?{query}")
        page.until("Page.loadEventFired")
        _filled(page)


def chosen() -> Grafana:
    """The one that is given to the tests."""
    return Grafana(_URL, _LOGIN)


def _filled(page: Tab) -> None:
    """Wait until panels are there, none loads, and nothing was asked for a while."""
    deadline = time.monotonic() + _PATIENCE_S
    before, calm = None, 0
    while calm < 6:
        assert time.monotonic() < deadline, f"the board does not come to rest: {before}"
        state = page.run(_STATE)
        calm = calm + 1 if state == before and state["panels"] and not state["loading"] else 0
        before = state
        time.sleep(0.5)


def panel_texts(page: Tab) -> list[str]:
    """What each panel of the open board says."""
    return [str(text) for text in page.run(_TEXTS)]

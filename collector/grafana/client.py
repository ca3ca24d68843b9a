"""The API of a running Grafana (by grafana-api); its errors name the fix."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaAPI, GrafanaException

from agent.common.command_line import RefusedError
from agent.common.language import say

OLDEST = (9, 0)
_TIMEOUT_S = 20.0
_NOT_FOUND = 404


class Sources(NamedTuple):
    """The uids of the data sources of both retention classes."""

    evidence: str
    telemetry: str


class Grafana:
    """Reads and changes one Grafana. All methods raise RefusedError, which names the fix."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RefusedError(
                say(
                    f"--url {url}：要写成 http://主机:3000",
                    f"--url {url}: must be like http://host:3000",
                )
            )
        self._url = url
        path = parts.path.strip("/")
        made: Any = GrafanaAPI  # its methods carry no types
        self._api = made(
            token,
            host=parts.hostname,
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=_TIMEOUT_S,
        )

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The reply of one request; None where nothing is found there."""
        try:
            return getattr(self._api, method)(path, json=body, headers=headers or None)
        except requests.exceptions.JSONDecodeError:
            return {}  # 202 and 204: done, without a body
        except GrafanaException as error:
            if error.status_code == _NOT_FOUND:
                return None
            raise RefusedError(self._said(error, path)) from error
        except requests.RequestException as error:
            text = say("连不上", "cannot be reached")
            raise RefusedError(f"{self._url} {text}: {error}") from error

    def find(self, path: str) -> Any:
        """The object at a path; None if there is none, or the token may not see it.

        Grafana answers 403 for a folder or board that is not there.
        """
        try:
            return self.ask("GET", path)
        except RefusedError as error:
            if _status(error) != requests.codes.forbidden:
                raise
            return None

    def _said(self, error: GrafanaException, path: str) -> str:
        if error.status_code == requests.codes.unauthorized:
            return say(
                f"{self._url} 不认这个令牌：在 Grafana 的服务账号里新建一个（角色 Editor 以上）",
                f"{self._url} rejected this token: create one under service accounts (role Editor "
                "or above)",
            )
        if error.status_code == requests.codes.forbidden:
            return say(
                f"{self._url}：令牌的权限不够做 {path}：看板要 Editor 以上，告警规则要 Admin",
                f"{self._url}: the token has no permission for {path}: dashboards need role "
                "Editor, alert rules Admin",
            )
        return f"{self._url}{path}: {error.message}"

    def check(self) -> None:
        """Check that it is a Grafana, new enough, and accepts the token."""
        health = self.ask("GET", "/health")
        version = str((health or {}).get("version", ""))
        found = re.match(r"(\d+)\.(\d+)", version)
        if not found:
            raise RefusedError(
                say(f"{self._url} 不像是 Grafana", f"{self._url} is not a Grafana server")
            )
        if (int(found[1]), int(found[2])) < OLDEST:
            raise RefusedError(
                say(
                    f"{self._url} 是 Grafana {version}：看板要 9.0 以上",
                    f"{self._url} is Grafana {version}: the boards need 9.0 or later",
                )
            )
        self.ask("GET", "/org")

    def sources(self) -> Sources:
        """The InfluxDB data sources whose names hold `evidence` and `telemetry`."""
        try:
            known = self.ask("GET", "/datasources") or []
        except RefusedError as error:
            # An Editor may not list them; the boards' variables list those that a reader may see.
            if _status(error) != requests.codes.forbidden:
                raise
            known = self._listed()
        found = {
            name: next((row["uid"] for row in known if _matches(row, name)), "")
            for name in Sources._fields
        }
        lacking = [name for name, uid in found.items() if not uid]
        if lacking:
            raise RefusedError(
                say(
                    f"{self._url} 没有名称含 {'、'.join(lacking)} 的 InfluxDB 数据源："
                    "照 deploy/grafana/provisioning/datasources 建好再推送",
                    f"{self._url} has no InfluxDB data source named {' or '.join(lacking)}: make "
                    "it as in deploy/grafana/provisioning/datasources, then push",
                )
            )
        return Sources(**found)

    def _listed(self) -> list[dict[str, Any]]:
        settings = self.ask("GET", "/frontend/settings") or {}
        return [{**row, "name": name} for name, row in settings.get("datasources", {}).items()]


def _status(error: RefusedError) -> int | None:
    cause = error.__cause__
    return cause.status_code if isinstance(cause, GrafanaException) else None


def _matches(row: dict[str, Any], name: str) -> bool:
    return row.get("type") == "influxdb" and name in str(row.get("name", "")).lower()

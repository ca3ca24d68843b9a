"""`schoolpulse lineserver --status`: what the server on this machine counts, by its /healthz."""

from __future__ import annotations

import http.client
import json
from typing import Any

from agent.common import tables
from agent.common.command_line import DONE, RefusedError
from agent.common.language import say

_TIMEOUT_S = 5.0
_ROWS = 50
_MAX = 4_000_000


def show(host: str, port: int) -> int:
    """Print the counts, then the refusals by school, the most first.

    Raises:
        RefusedError: no measurement server answers there.
    """
    found = _asked(_reachable(host), port)
    for title, values in _counts(found):
        print(title)
        for line in tables.lines((f"  {name}", str(count)) for name, count in values):
            print(line)
    print(say("拒绝，按学校", "refusals by school"))
    rows = found.get("refused_of", [])
    heads = tuple(say("学校 原因 次数", "school reason count").split())
    nobody = say("（未出示密钥）", "(no key shown)")
    body = [(school or nobody, why, str(count)) for school, why, count in rows[:_ROWS]]
    for line in tables.lines([heads, *body] if rows else [(say("  没有", "  none"),)]):
        print(line)
    if len(rows) > _ROWS:
        print(say(f"另有 {len(rows) - _ROWS} 行", f"{len(rows) - _ROWS} more rows"))
    return DONE


def _counts(found: dict[str, Any]) -> list[tuple[str, list[tuple[str, Any]]]]:
    own = [(name, value) for name, value in found.items() if isinstance(value, int)]
    parts = [(say("计数，自启动以来", "counts since the start"), own)]
    titles = {
        "cut": say("切断的连接，按原因", "connections cut, by reason"),
        "refused": say("拒绝，按原因", "refusals by reason"),
    }
    return parts + [(title, sorted(found[key].items())) for key, title in titles.items()]


def _reachable(host: str) -> str:
    """The address to ask; where the server listens on all, this machine's loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _asked(host: str, port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        found = json.loads(connection.getresponse().read(_MAX))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RefusedError(
            say(
                f"{host}:{port} 没有测速服务器应答：{error}；启动它，或写 --host、--port",
                f"no measurement server answers at {host}:{port}: {error}; start it, or give "
                "--host and --port",
            )
        ) from error
    finally:
        connection.close()
    if not isinstance(found, dict) or "refused" not in found:
        raise RefusedError(
            say(f"{host}:{port} 不是测速服务器", f"{host}:{port} is not a measurement server")
        )
    return found

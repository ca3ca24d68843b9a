"""InfluxDB's refusals, classed by what the caller does next. Pure.

400, 422 of InfluxDB    the good lines are stored, the bad are not: find the bad ones
413                     too much at once: halve
401, 403, 404, others   configuration
408, 429, 5xx, network  keep, back off, try again
"""

from __future__ import annotations

import json

from agent.wire.lang import say
from collector.store.seam import MisconfiguredError, StoreError, UnavailableError

_LINES, _LARGE = {400, 422}, 413
_LATER = {408, 425, 429}
_SERVER = 500


class LinesRefusedError(Exception):
    """Some of the lines sent can never be stored; the others are."""


class TooLargeError(Exception):
    """More than the server takes at once."""


class ExpiredError(Exception):
    """Some lines are older than the bucket keeps; all others are stored."""


def classed(status: int, body: str, where: str) -> Exception:
    """The error for a reply to a write."""
    reason = said(body)
    if status in _LINES and reason:
        return _lines(reason, where)
    if status == _LARGE:
        return TooLargeError(f"{where}: 413")
    return unanswered(status, reason or body[:200], where)


def _lines(reason: str, where: str) -> Exception:
    if "beyond retention policy" in reason:
        return ExpiredError(reason)
    if "limit exceeded" in reason:  # max-values-per-tag, max-series-per-database
        mend = say("请提高数据库的上限设置", "raise that limit in the database's settings")
        return MisconfiguredError(f"{where}: {reason}; {mend}")
    return LinesRefusedError(reason)


def unanswered(status: int, reason: str, where: str) -> StoreError:
    """The error for a reply that says nothing about the lines."""
    if status in _LATER or status >= _SERVER:
        return UnavailableError(f"{where}: HTTP {status} {reason}")
    mends = {
        401: say("令牌不对", "the token is wrong"),
        403: say("令牌没有这个桶的权限", "the token has no right to this bucket"),
        404: say("没有这个桶、组织或地址", "no such bucket, organization or address"),
    }
    mend = mends.get(status, say("请检查 [store] 的 url", "check url in [store]"))
    return MisconfiguredError(f"{where}: HTTP {status}, {mend}; {reason}")


def failed(reason: str, where: str) -> StoreError:
    """The error for a query that was answered with one."""
    if "not found" in reason:
        mend = say("请先建立这个库（桶）", "create that database (bucket) first")
        return MisconfiguredError(f"{where}: {reason}; {mend}")
    return UnavailableError(f"{where}: {reason}")


def said(body: str) -> str:
    """The reason in InfluxDB's JSON; empty where no InfluxDB wrote the body (a proxy did)."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    return str(told.get("error") or told.get("message") or "")

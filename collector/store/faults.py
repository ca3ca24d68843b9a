"""InfluxDB's refusals, classed by what the caller does next. Pure.

400, 422 about lines    the good lines are stored, the bad are not: find the bad ones
413                     too much at once: halve
401, 403, 404, others   configuration; so is any other success than 204
408, 429, 5xx, network  keep, back off, try again
"""

from __future__ import annotations

import json
import re

from agent.common.language import say
from collector.store.base import MisconfiguredError, StoreError, UnavailableError

_LINES, _LARGE = {400, 422}, 413
_LATER = {408, 425, 429}
_SERVER = 500
#: What InfluxDB says of lines. What it says of the request (no organization, no database) would
#: be said of every line, and quarantine all.
_OF_LINES = re.compile(
    r"\b(partial write|pars(e|ing)|conflict|lines?|points?|fields?|columns?|tags?|timestamp)\b",
    re.IGNORECASE,
)
#: In the words of 1.x and of the newer 2.x.
_EXPIRED = re.compile("(beyond|outside) retention policy")
#: A line that every server takes, unless its limit is set too small; bytes.
_ANY_LINE = 65_536


class LinesRefusedError(Exception):
    """Some of the lines sent can never be stored; the others are."""


class TooLargeError(Exception):
    """More than the server takes at once."""


class ExpiredError(Exception):
    """Some lines are older than the bucket keeps; all others are stored."""


def classed(status: int, body: bytes, where: str) -> Exception:
    """The error for a reply to a write."""
    reason = said(body)
    if status in _LINES and _OF_LINES.search(reason):
        return _lines(reason, where)
    if status == _LARGE:
        return TooLargeError(f"{where}: HTTP 413")
    return unanswered(status, text(body), where)


def of_one_line(error: Exception, size: int) -> None:
    """One line of `size` bytes was refused, alone.

    Raises:
        MisconfiguredError: not the line is too large, but the limit too small.
    """
    if isinstance(error, TooLargeError) and size <= _ANY_LINE:
        mend = say(
            "请调大代理的请求大小上限（nginx：client_max_body_size 25m）",
            "raise the proxy's limit of a request (nginx: client_max_body_size 25m)",
        )
        raise MisconfiguredError(f"{error}, {size} B; {mend}") from error


def unsayable(error: ValueError, where: str) -> MisconfiguredError:
    """The error for settings that no request can be made of; they are not shown."""
    mend = say(
        "[store] 的 url、token、org 里有不能用的字符（如换行、中文）",
        "url, token or org in [store] has characters that no request can carry (a line's end?)",
    )
    return MisconfiguredError(f"{where}: {mend} ({type(error).__name__})")


def _lines(reason: str, where: str) -> Exception:
    if _EXPIRED.search(reason) and "Upper Bound" not in reason:  # that is a time to come
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
    mend = mends.get(status, say("请检查 [store] 的 url 和 org", "check url and org in [store]"))
    return MisconfiguredError(f"{where}: HTTP {status}, {mend}; {reason}")


def failed(reason: str, where: str) -> StoreError:
    """The error for a query that was answered with one."""
    if "not found" in reason:
        mend = say("请先建立这个库（桶）", "create that database (bucket) first")
        return MisconfiguredError(f"{where}: {reason}; {mend}")
    return UnavailableError(f"{where}: {reason}")


def said(body: bytes | str) -> str:
    """The reason in InfluxDB's JSON; empty where no InfluxDB wrote the body (a proxy did)."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    return str(told.get("error") or told.get("message") or "")


def text(body: bytes) -> str:
    """What a reply says, whoever wrote it; short, and in one line."""
    return said(body) or " ".join(body.decode(errors="replace").split())[:200]

"""InfluxDB's error replies, classed by what the caller does next. Pure.

400, 422 about lines    the good lines are stored, the bad are not: find the bad ones
413                     request too large: halve it
401, 403, 404, others   wrong configuration; so is any success other than 204
408, 429, 5xx, network  keep the points, back off, try again
"""

from __future__ import annotations

import json
import re

import urllib3

from agent.common.language import say
from collector.store.base import MisconfiguredError, StoreError, UnavailableError

_LINES, _LARGE = {400, 422}, 413
_LATER = {408, 425, 429}
_SERVER = 500
#: Errors about single lines. Others are about the request (no organization, no database), and would
#: be taken for a fault of every line, quarantining all.
_ABOUT_LINES = re.compile(
    r"\b(partial write|pars(e|ing)|conflict|lines?|points?|fields?|columns?|tags?|timestamp)\b",
    re.IGNORECASE,
)
#: As 1.x and newer 2.x word it.
_EXPIRED = re.compile("(beyond|outside) retention policy")
#: Errors of a query that say what was never made. Of a cluster, a shard, a node or a partition may
#: be "not found" too while another node takes it over.
_NEVER_MADE = re.compile(
    r"\b(database|retention policy|bucket|organization)( \S+)?( is)? not found\b", re.IGNORECASE
)
#: No connection was made, so nothing was sent.
_NO_WAY = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
#: How urllib3 begins what it says.
_OBJECT = re.compile(r"HTTPS?Connection(Pool)?\([^)]*\): ")
#: Bytes of a line that every server accepts unless its limit is set too low.
_ANY_LINE = 65_536


class LinesRefusedError(Exception):
    """Some of the lines can never be stored; the others are stored."""


class TooLargeError(Exception):
    """The request is larger than the server accepts."""


class ExpiredError(Exception):
    """Some lines are older than the bucket's retention; all others are stored."""


def classed(status: int, body: bytes, where: str) -> Exception:
    """The error for an error reply to a write."""
    reason = reason_of(body)
    if status in _LINES and _ABOUT_LINES.search(reason):
        return _lines(reason, where)
    if status == _LARGE:
        return TooLargeError(f"{where}: HTTP 413")
    return unanswered(status, text(body), where)


def of_one_line(error: Exception, size: int) -> None:
    """One line of `size` bytes was refused, alone.

    Raises:
        MisconfiguredError: the line is of normal size, so the server's limit is too low.
    """
    if isinstance(error, TooLargeError) and size <= _ANY_LINE:
        fix = say(
            "请调大反向代理的请求大小上限（nginx：client_max_body_size 25m）",
            "raise the proxy's limit of a request (nginx: client_max_body_size 25m)",
        )
        raise MisconfiguredError(f"{error}, {size} B; {fix}") from error


def bad_settings(error: ValueError, where: str) -> MisconfiguredError:
    """The error for settings that cannot be sent in a request; it does not show them."""
    fix = say(
        "[store] 的 url、token、org 里有不能用的字符（如换行、中文）",
        "url, token or org in [store] has characters that cannot be sent (a line break?)",
    )
    return MisconfiguredError(f"{where}: {fix} ({type(error).__name__})")


def _lines(reason: str, where: str) -> Exception:
    if (
        _EXPIRED.search(reason) and "Upper Bound" not in reason
    ):  # an upper bound is about future times
        return ExpiredError(reason)
    if "limit exceeded" in reason:  # max-values-per-tag, max-series-per-database
        fix = say("请提高数据库的上限设置", "raise that limit in the database's settings")
        return MisconfiguredError(f"{where}: {reason}; {fix}")
    return LinesRefusedError(reason)


def unanswered(status: int, reason: str, where: str) -> StoreError:
    """The error for an error reply that is not about single lines."""
    error = _unanswered(status, reason, where)
    error.status = status
    return error


def _unanswered(status: int, reason: str, where: str) -> StoreError:
    if status in _LATER or status >= _SERVER:
        return UnavailableError(f"{where}: HTTP {status} {reason}")
    fixs = {
        401: say("令牌不对", "the token is wrong"),
        403: say("令牌没有这个桶的权限", "the token has no permission for this bucket"),
        404: say("没有这个桶、组织或地址", "no such bucket, organization or address"),
    }
    fix = fixs.get(status, say("请检查 [store] 的 url 和 org", "check url and org in [store]"))
    return MisconfiguredError(f"{where}: HTTP {status}, {fix}; {reason}")


def failed(reason: str, where: str) -> StoreError:
    """The error for a query that InfluxDB answered with an error."""
    if _NEVER_MADE.search(reason):
        fix = say("请先建立这个库（桶）", "create that database (bucket) first")
        return MisconfiguredError(f"{where}: {reason}; {fix}")
    return UnavailableError(f"{where}: {reason}")


def unreached(error: Exception, where: str) -> UnavailableError:
    """The error for a request that brought no answer."""
    found = UnavailableError(f"{where}: {words(error)}")
    cause = getattr(error, "reason", error)  # of a MaxRetryError
    found.sent = not isinstance(cause, _NO_WAY)
    return found


def reason_of(body: bytes | str) -> str:
    """The reason in InfluxDB's JSON; empty if the body is not InfluxDB's but a proxy's."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    return str(content.get("error") or content.get("message") or "")


def words(error: object) -> str:
    """What an error says, without the connection object that urllib3 begins with."""
    return _OBJECT.sub("", str(error))


def text(body: bytes) -> str:
    """A reply's reason, or the start of its body, in one line of at most 200 characters."""
    return reason_of(body) or " ".join(body.decode(errors="replace").split())[:200]

"""Client of the measurement server: asks for a test, times its answers, and closes the test.

Used in the child process of a line test, to keep http.client out of the resident agent's memory.
Proxies are never used, because that would measure the proxy instead of the line.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from agent.common import decoding, signing
from agent.wire.messages import Count, LineOutcome, Share

_TESTS = "/v1/tests"
_ANSWERS = ("busy", "enough", "full", "later")
_MAX_REPLY = 1_000_000
_ID = re.compile("[0-9a-f]{32}")
#: Upper limit of the server's `retry_s`, s.
_LONGEST_WAIT_S = 86_400
_LONG_TRIP_S = 0.2
#: Round trips until a connection with TLS is open: of TCP, and of TLS 1.3.
_TLS_TRIPS = 2

_Samples = list[tuple[Annotated[float, Meta(ge=0.0, le=1e6)], Annotated[int, Meta(ge=0)]]]


class _Seen(Struct):
    """The server's record of a test; samples are (s, bytes)."""

    sent_bytes: Count
    received_bytes: Count
    down: _Samples
    up: _Samples
    down_frames: _Samples = []
    up_frames: _Samples = []
    loss_share: Share | None = None
    window_share: Share | None = None


class EndedError(Exception):
    """The test failed: its outcome, the code of the reason, and what else is known.

    The codes are in `agent.common.vocabulary.reasons.FAILED`.
    """

    def __init__(self, outcome: LineOutcome, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.outcome: LineOutcome = outcome
        self.reason, self.detail = reason, detail


class LaterError(Exception):
    """No test now: busy, enough, full or later, and after how many seconds to ask again."""

    def __init__(self, answer: str, retry_s: int) -> None:
        super().__init__(answer)
        self.answer, self.retry_s = answer, retry_s


class Server:
    """One connection to the measurement server at `http[s]://host[:port][/base]`.

    Each method raises EndedError, and nothing else, for whatever the network does.
    """

    def __init__(self, url: str, timeout: float) -> None:
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        try:
            parts = urlsplit(url)
            self._http = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=timeout)
        except (ValueError, KeyError, http.client.InvalidURL) as error:
            raise EndedError("unreachable", "no_address", repr(url)) from error
        if not parts.hostname:
            raise EndedError("unreachable", "no_address", repr(url))
        self._base = parts.path.rstrip("/")

    def connect(self) -> float:
        """Connect; returns the round trip, s: the better of two if the first one is long.

        A lost packet costs a second, which says nothing of the distance.
        """
        first = self._connect()
        if first < _LONG_TRIP_S:
            return first
        self._http.close()
        return min(first, self._connect())

    def _connect(self) -> float:
        start = time.perf_counter()
        try:
            self._http.connect()
            if isinstance(self._http, http.client.HTTPSConnection):
                return (time.perf_counter() - start) / _TLS_TRIPS
        except TimeoutError as error:
            raise EndedError("unreachable", "no_answer") from error
        except OSError as error:
            raise EndedError("unreachable", "no_connection", str(error)) from error
        return time.perf_counter() - start

    def ask(self, wish: dict[str, Any], key: str = "") -> dict[str, Any]:
        """Ask for a test; returns {id, path, lease_s, long}. `key`: the school's, if one is needed.

        Raises:
            LaterError: the server does not grant it now.
        """
        status, body = self._ask(wish, key)
        if status == 401 and not key:
            raise EndedError("refused", "key_missing")
        if status in (401, 403):
            detail = f"{status} {_text(body)}".strip()
            if _text(body, "reason") == "unknown_line":
                raise EndedError("refused", "unknown_line", detail)
            raise EndedError("refused", "key_refused", detail)
        if status == 409 or (status == 503 and _text(body, "answer")):
            later = _read(body, {"answer": str, "retry_s": int})
            if later["answer"] not in _ANSWERS:
                raise EndedError("garbled", "bad_reply", "no answer that we know")
            raise LaterError(later["answer"], min(max(1, later["retry_s"]), _LONGEST_WAIT_S))
        _expect(status, (200, 201))
        granted = _read(body, {"id": str, "path": str, "lease_s": (int, float)})
        if not _ID.fullmatch(granted["id"]):
            raise EndedError("garbled", "bad_reply", "no id")
        if not granted["path"].startswith("/"):
            raise EndedError("garbled", "bad_reply", "no path")
        return granted

    def _ask(self, wish: dict[str, Any], key: str) -> tuple[int, bytes]:
        """Send the request; if the server answers with a nonce, sign it and send it again."""
        status, body = self._request("POST", _TESTS, wish)
        nonce = _text(body, "nonce") if status == 401 and key else ""
        if not nonce:
            return status, body
        data = json.dumps(wish).encode()
        signed = signing.header(key, str(wish["school"]), "POST", _TESTS, nonce, data)
        return self._request("POST", _TESTS, wish, {"Authorization": signed})

    def done(self, test: str, ok: bool) -> dict[str, Any]:
        """Close the test; returns the server's record of it."""
        self._http.close()  # it was idle during the load, and the server may have closed it
        status, body = self._request("POST", f"/v1/tests/{test}/done", {"ok": ok})
        _expect(status, (200,))
        kinds = {"sent_bytes": int, "received_bytes": int, "down": list, "up": list}
        seen = _read(body, {**kinds, "solo": bool, "server_limited": bool})
        try:
            decoding.convert(seen, _Seen)
        except msgspec.ValidationError as error:
            raise EndedError("garbled", "bad_reply", str(error)) from error
        return seen

    def ping_ms(self, path: str) -> float:
        """Time of one request for latency.txt over the open connection, ms."""
        start = time.perf_counter()
        status, body = self._request("GET", f"{path}/speedtest/latency.txt?x={start}", None)
        took = (time.perf_counter() - start) * 1000
        _expect(status, (200,))
        if not body.startswith(b"test=test"):
            raise EndedError("garbled", "bad_reply", "latency.txt")
        return took

    @property
    def local_address(self) -> str:
        """Our address on the connection, which shows the interface; empty if closed."""
        return str(self._http.sock.getsockname()[0]) if self._http.sock else ""

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        more: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Cache-Control": "no-cache", **(more or {})}
        try:
            self._http.request(method, self._base + path, data, headers)
            reply = self._http.getresponse()
            return reply.status, reply.read(_MAX_REPLY)
        except TimeoutError as error:
            raise EndedError("unreachable", "no_answer") from error
        except OSError as error:
            raise EndedError("unreachable", "no_connection", str(error)) from error
        except (http.client.HTTPException, ValueError) as error:
            raise EndedError("garbled", "bad_reply", repr(error)) from error


def _expect(status: int, good: tuple[int, ...]) -> None:
    if status not in good:
        raise EndedError("refused", "bad_status", str(status))


def _text(body: bytes, key: str = "error") -> str:
    """The text `key` in a JSON reply; empty where it has none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(found.get(key) or "")[:200] if isinstance(found, dict) else ""


def _read(body: bytes, kinds: dict[str, Any]) -> dict[str, Any]:
    """Decode a JSON object that has these keys, each of its type; raises EndedError otherwise."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EndedError("garbled", "bad_reply", "not JSON") from error
    if not isinstance(found, dict):
        raise EndedError("garbled", "bad_reply", "not an object")
    wrong = [key for key, kind in kinds.items() if not isinstance(found.get(key), kind)]
    if wrong:
        raise EndedError("garbled", "bad_reply", f"lacks {', '.join(wrong)}")
    return found

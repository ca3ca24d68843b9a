"""One write request to InfluxDB, by influxdb-client: line protocol in, nothing or an error.

It is compressed, except for a server on this machine, where that costs more than it saves.

InfluxDB 1.8 and later take it at /api/v2/write. Earlier 1.x have only /write, which answers alike:
the first write finds that out from the server's own 404, and later ones go there at once.
"""

from __future__ import annotations

import base64
import gzip
from typing import Any

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from collector import config
from collector.addresses import is_local_url
from collector.store import faults, token
from collector.store.base import MisconfiguredError, UnavailableError

_STORED = 204  # the answer of every InfluxDB to a successful write
_MISSING, _LARGE = 404, 413
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
_COMPRESSED = {"Content-Encoding": "gzip", **_PLAIN}


class Writing:
    """Sends writes to one server; safe from several threads. Making it sends nothing."""

    def __init__(self, settings: config.Store, limits: tuple[int, int]) -> None:
        """`limits`: how long connecting and an answer may take, ms.

        Raises:
            MisconfiguredError: the token's file cannot be read.
        """
        self._settings = settings
        self._login()
        client: Any = InfluxDBClient  # its methods carry no types
        self._client = client(settings.url, "", org=settings.org, timeout=limits)
        self._first = False  # whether the server is of the first kind: /write alone
        self._compressed = not is_local_url(settings.url)

    def post(self, bucket: str, body: bytes) -> None:
        """Store the lines of `body` in a bucket (a database on 1.x).

        Raises:
            LinesRefusedError, TooLargeError, ExpiredError: see `faults`.
            UnavailableError, MisconfiguredError: as `Store.write`.
        """
        where = f"{self._settings.url} [{bucket}]"
        try:
            reply, status, _ = self._send(bucket, body)
            content = reply.data
        except ApiException as error:
            raise _class(error, where) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise faults.unreached(error, where) from error
        except ValueError as error:
            raise faults.bad_settings(error, where) from error
        if status != _STORED:  # the page of a portal or another server
            raise faults.unanswered(status, faults.text(content), where)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, bucket: str, body: bytes) -> Any:
        if not self._first:
            try:
                wanted = {"org": self._settings.org, "bucket": bucket}
                return self._request("/api/v2/write", wanted, body)
            except ApiException as error:
                if not _lacks_second(error):
                    raise
                self._first = True
        return self._request("/write", {"db": bucket}, body)

    def _request(self, path: str, query: dict[str, str], body: bytes) -> Any:
        compressed = self._compressed  # another thread may change it meanwhile
        try:
            return self._call(path, query, body, compressed)
        except ApiException as error:
            if error.status != _LARGE or compressed:
                raise
            self._compressed = True  # a proxy before the server takes no more
            return self._call(path, query, body, True)

    def _call(self, path: str, query: dict[str, str], body: bytes, compressed: bool) -> Any:
        headers = _COMPRESSED if compressed else _PLAIN
        return self._client.api_client.call_api(
            path, "POST", {}, {**query, "precision": "ns"}, {**headers, **self._login()},
            # Level 1: the client's own compression is level 9, which costs several times more.
            body=gzip.compress(body, 1) if compressed else body,
            _preload_content=False,  # decoding as UTF-8 would fail on a proxy's page
        )  # fmt: skip

    def _login(self) -> dict[str, str]:
        """The header that logs in; a token's file is read again once it has changed."""
        return authorization(token.of(self._settings))


def authorization(login: str) -> dict[str, str]:
    """The header that logs in with a token, or with `user:password`; none without either.

    Every 1.x takes the latter as HTTP Basic, as a token only from 1.8 on. Tokens of 2.x and 3.x
    hold no colon.
    """
    if ":" in login:
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {"Authorization": f"Token {login}"} if login else {}


def _lacks_second(error: ApiException) -> bool:
    """Whether a 1.x answered that it has no such path; a missing database comes with a reason."""
    headers: Any = error.headers or {}
    return (
        error.status == _MISSING
        and str(headers.get("X-Influxdb-Version", "")).startswith("1.")
        and not faults.reason_of(error.body or b"")
    )


def _class(error: ApiException, where: str) -> Exception:
    if not error.status:  # so the client reports TLS errors
        wrong = "CERTIFICATE_VERIFY_FAILED" in str(error.reason)
        return (MisconfiguredError if wrong else UnavailableError)(
            f"{where}: {faults.words(error.reason)}"
        )
    return faults.classed(error.status, error.body or b"", where)

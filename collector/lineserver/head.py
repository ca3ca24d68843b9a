"""What the beginning of a connection says of its request: whole, not whole, or none. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

#: A head, and the body of any request but an upload, in bytes.
MAX_HEAD, MAX_BODY = 8192, 8192
_END = re.compile(rb"\r?\n\r?\n")
_METHOD = re.compile(rb"[A-Z]{1,16}(?: |\Z)")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,15})[ \t]*\r?$")
_UPLOAD = re.compile(rb"POST /t/")
_TRANSFER = re.compile(
    rb"(?:GET /t/([0-9a-f]{32})/speedtest/random|POST /t/([0-9a-f]{32})/speedtest/upload\.php)"
)
_PING = re.compile(rb"GET /t/([0-9a-f]{32})/speedtest/latency\.txt[? ]")


class Fault(NamedTuple):
    """A request that can be none, and what it is answered."""

    reply: bytes


def _fault(status: bytes) -> Fault:
    return Fault(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


UNREADABLE = _fault(b"400 Bad Request")
TOO_LARGE = _fault(b"431 Request Header Fields Too Large")


def missing(data: bytes | bytearray) -> int | Fault:
    """How many bytes a request lacks at least, 0 where it is whole; or why it can be none.

    The body of an upload is not waited for, nor one that is refused for its length.
    """
    start = bytes(data[:64]).lstrip(b"\r\n")  # empty lines before a request are ignored
    if start and not _METHOD.match(start):
        return UNREADABLE
    found = _END.search(data, 0, MAX_HEAD)
    if found is None:
        return TOO_LARGE if len(data) >= MAX_HEAD else 1
    if _UPLOAD.match(start) or not start.startswith(b"POST"):
        return 0
    length = _LENGTH.search(data, 0, found.end())
    wanted = int(length[1]) if length else 0
    return 0 if wanted > MAX_BODY else max(0, found.end() + wanted - len(data))


def test_of(head: bytes) -> str:
    """The test whose bytes a request carries; empty for any other request."""
    match = _TRANSFER.match(head)
    return (match[1] or match[2]).decode("ascii") if match else ""


def pinged(head: bytes) -> str:
    """The test that a request measures the answer time of; empty for any other request."""
    match, end = _PING.match(head), _END.search(head)
    return match[1].decode("ascii") if match and end and end.end() == len(head) else ""

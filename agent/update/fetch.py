"""Downloads a manifest, and a version's file with resuming, from the measurement server.

Nothing that arrives is trusted: it is bounded in size, and the file is used only where its hash is
the signed manifest's. No proxy is used and no redirect followed: the server is the city's own.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from agent.update.manifest import NotInstallable
from agent.wire.release import MAX_MANIFEST, ReleaseFile

_TIMEOUT_S = 30.0
_CHUNK = 64 * 1024
#: What a server that is busy answers: it is asked again later.
_BUSY = (429, 503)


class Paused(Exception):  # noqa: N818 - what is so, not an error
    """The rest is downloaded later: the server or the line is busy, or a lesson has begun."""


def manifest(url: str) -> bytes:
    """The signed manifest's bytes, unchecked.

    Raises:
        NotInstallable, Paused: there is none, or not now.
    """
    with closing(_connection(url)) as connection:
        reply = _asked(connection, urlsplit(url).path or "/", {})
        data = _read(reply, 2 * MAX_MANIFEST + 1)
    if len(data) > 2 * MAX_MANIFEST:
        raise NotInstallable("manifest", "too long")
    return data


def file(url: str, wanted: ReleaseFile, folder: Path, may: Callable[[], bool]) -> Path:
    """The whole file in `folder`, its hash checked; `url` is the manifest's, beside which it lies.

    A part that is there already is not downloaded again. `may` is asked before each piece.

    Raises:
        NotInstallable: it cannot be had, or is another one.
        Paused: the rest comes at the next call.
    """
    whole, part = folder / wanted.sha256, folder / f"{wanted.sha256}.part"
    if is_whole(whole, wanted):
        return whole
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_others(folder, wanted)
        _download(url, wanted, part, may)
        if not is_whole(part, wanted):
            part.unlink(missing_ok=True)  # from its beginning, next time
            raise NotInstallable("hash")
        part.replace(whole)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise NotInstallable("no_space" if full else "unreachable", str(error)) from error
    return whole


def is_whole(path: Path, wanted: ReleaseFile) -> bool:
    """Whether the file is there as the manifest describes it."""
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
            return found == wanted.sha256 and opened.tell() == wanted.size
    except OSError:
        return False


def _forget_others(folder: Path, wanted: ReleaseFile) -> None:
    """Former versions' files: a school PC's disk is small."""
    for path in folder.iterdir():
        stem = path.name.removesuffix(".part")
        if len(stem) == 64 and stem != wanted.sha256:
            path.unlink(missing_ok=True)


def _download(url: str, wanted: ReleaseFile, part: Path, may: Callable[[], bool]) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > wanted.size:
        part.unlink()
        have = 0
    if have == wanted.size:
        return
    path = urlsplit(url).path.rpartition("/")[0] + "/" + wanted.sha256
    with closing(_connection(url)) as connection:
        if not may():
            raise Paused
        reply = _asked(connection, path, {"Range": f"bytes={have}-"} if have else {})
        with part.open("ab") as opened:
            if reply.status == 200:  # the server sends all of it
                opened.truncate(0)
                have = 0
            _pour(reply, opened, wanted.size - have, may)


def _pour(
    reply: http.client.HTTPResponse, out: BinaryIO, left: int, may: Callable[[], bool]
) -> None:
    while left:
        if not may():
            raise Paused
        try:
            data = reply.read1(min(_CHUNK, left))
        except (OSError, http.client.HTTPException) as error:
            raise Paused from error
        if not data:
            raise Paused  # the server has cut it: a test of the line has begun
        out.write(data)
        left -= len(data)


def _connection(url: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname:
            return http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=_TIMEOUT_S)
    except ValueError:
        pass
    raise NotInstallable("unreachable", f"{url[:100]} is no http address")


def _asked(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str]
) -> http.client.HTTPResponse:
    try:
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise NotInstallable("unreachable", str(error)) from error
    if reply.status in _BUSY:
        raise Paused
    if reply.status not in (200, 206):
        raise NotInstallable("refused", str(reply.status))
    return reply


def _read(reply: http.client.HTTPResponse, most: int) -> bytes:
    try:
        return reply.read(most)
    except (OSError, http.client.HTTPException) as error:
        raise NotInstallable("unreachable", str(error)) from error

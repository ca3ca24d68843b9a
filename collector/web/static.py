"""The few files beside the pages, by names that hold a digest of what is in them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class _File(NamedTuple):
    data: bytes
    kind: str


@cache
def _files() -> dict[str, _File]:
    """Read once: no name that a reader sends ever reaches the file system."""
    paths = sorted(path for path in _FOLDER.iterdir() if path.suffix in _TYPES)
    files = {path.name: _File(path.read_bytes(), _TYPES[path.suffix]) for path in paths}
    # One digest for all: the sheet names its pictures by their names beside it.
    digest = hashlib.sha256(b"".join(file.data for file in files.values())).hexdigest()[:12]
    return {f"{digest}/{name}": file for name, file in files.items()}


@cache
def url(name: str) -> str:
    """The address of a file."""
    return next(f"/static/{key}" for key in _files() if key.endswith(f"/{name}"))


def response(name: str) -> Response:
    """The file; an address of it never has another content.

    Raises:
        NotFound: there is none of that name.
    """
    file = _files().get(name)
    if file is None:
        raise NotFound
    answer = Response(file.data, content_type=file.kind)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer

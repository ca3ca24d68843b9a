"""Answers that pages have in common: languages, themes, downloads, and ways back."""

from __future__ import annotations

import gzip
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from agent.common.language import LANGS, Lang, chosen

THEMES = ("auto", "light", "dark")
_YEAR_S = 365 * 86_400


def language(request: Request) -> Lang:
    """What the reader chose, else what the browser asks for, else what the command speaks."""
    for lang in LANGS:
        if request.cookies.get("lang") == lang:
            return lang
    asked = (name.lower().split("-")[0] for name in request.accept_languages.values())
    return next((lang for name in asked for lang in LANGS if name == lang), chosen())


def theme(request: Request) -> str:
    found = request.cookies.get("theme", "")
    return found if found in THEMES else "auto"


def choice(request: Request) -> Response:
    """Keep the language or the theme in a cookie, and go back to a page of ours."""
    response = Response(status=303, headers={"Location": local(request.args.get("back", "/")),
                                             "Cache-Control": "no-store"})  # fmt: skip
    for name, known in (("lang", LANGS), ("theme", THEMES)):
        value = request.args.get(name, "")
        if value in known:
            response.set_cookie(
                name, value, max_age=_YEAR_S, httponly=True, samesite="Lax",
                secure=secure(request),
            )  # fmt: skip
    return response


def local(back: str) -> str:
    """A path of ours; everything that could lead elsewhere is the first page."""
    plain = back.isprintable() and "\\" not in back and len(back) < 1000
    if not (plain and back.startswith("/") and not back.startswith("//")):
        return "/"
    return urllib.parse.quote(back, safe="/?&=%.,:+-_~*")


def secure(request: Request) -> bool:
    """Whether the reader came by HTTPS, as far as a proxy says so."""
    return request.headers.get("X-Forwarded-Proto", request.scheme) == "https"


class Page(NamedTuple):
    """A page as it is, and packed."""

    plain: bytes
    packed: bytes


def page(body: bytes) -> Page:
    """A page, packed once for all that ask for it."""
    return Page(body, gzip.compress(body, 5))


def html(request: Request, made: Page, code: int = 200) -> Response:
    """A page as an answer, which nobody on the way keeps."""
    response = Response(made.plain, code, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Cookie, Accept-Language, Accept-Encoding"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(made.packed)
        response.headers["Content-Encoding"] = "gzip"
    return response


def download(path: Path | None) -> Response:
    """A file as it lies there; never shown in place, as a report carries scripts of its own."""
    if path is None:
        raise NotFound
    response = Response(path.read_bytes(), content_type="application/octet-stream")
    quoted = urllib.parse.quote(path.name)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quoted}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-store"
    return response

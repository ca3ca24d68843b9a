"""Logging in and out: the only requests that carry anything."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from agent.common import log
from collector.addresses import is_local
from collector.web import passwords
from collector.web.access import Access
from collector.web.answers import local, secure
from collector.web.sessions import COOKIE, SECONDS, Sessions, Throttle

_Page = Callable[..., Response]


class LogIn:
    """Checks passwords, at most so often."""

    def __init__(
        self, access: Access, sessions: Sessions, throttle: Throttle | None = None
    ) -> None:
        self._access, self._sessions = access, sessions
        self._throttle = throttle or Throttle()

    def answer(self, request: Request, endpoint: str, page: _Page) -> Response:
        """The form, or what became of it."""
        if request.method == "POST" and not _own(request):
            return page(request, "error.html.j2", {"code": 403, "detail": ""}, 403)
        if endpoint == "logout":
            response = _see("/login" if self._access.has_log_in else "/")
            response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
            return response
        if not self._access.has_log_in:
            return _see("/")
        if request.method == "GET":
            return page(request, "login.html.j2", _form(request))
        return self._try(request, page)

    def _try(self, request: Request, page: _Page) -> Response:
        name, password = (request.form.get(key, "")[:1024] for key in ("user", "password"))
        keys = (f"from {_address(request)}", f"user {name[:64]}")
        wait = self._throttle.wait(*keys)
        if wait:
            shown = {**_form(request), "wait": int(wait) + 1}
            response = page(request, "login.html.j2", shown, 429)
            response.headers["Retry-After"] = str(int(wait) + 1)
            return response
        user = passwords.check(self._access.users(), name, password)
        if user is None:
            self._throttle.failed(*keys)
            log.warning("web_login_failed", user=name[:64], address=_address(request))
            return page(request, "login.html.j2", {**_form(request), "wrong": True}, 401)
        self._throttle.passed(*keys)
        response = _see(local(request.form.get("back", "/")))
        response.set_cookie(
            COOKIE, self._sessions.begin(user), max_age=SECONDS, httponly=True,
            samesite="Strict", secure=secure(request),
        )  # fmt: skip
        return response


def _form(request: Request) -> dict[str, Any]:
    given = request.form if request.method == "POST" else request.args
    return {"back_to": given.get("back", "/")[:1000], "user": given.get("user", "")[:64],
            "wrong": False, "wait": 0}  # fmt: skip


def _address(request: Request) -> str:
    """Where a reader came from: behind a proxy on this machine, what that says."""
    peer = request.remote_addr or ""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:64]
    return told if told and is_local(peer) else peer


def _own(request: Request) -> bool:
    """Whether the form is ours: browsers say where it came from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urllib.parse.urlsplit(origin).netloc == request.host


def _see(path: str) -> Response:
    return Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})

"""The WSGI application: routes, languages, headers. It reads; the only thing it takes is a log-in.

Order of a request: Host, static files and /healthz, who reads, the page. What others sent is never
logged or shown as it came.
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from agent.common import log
from agent.common.command_line import RefusedError
from agent.common.language import chosen, say, speaking
from collector.store import StoreError
from collector.web import pages, rendering, static
from collector.web.access import Access, DeniedError, Visitor
from collector.web.answers import Page, choice, download, html, language, page, theme
from collector.web.cache import Cache
from collector.web.counting import Counting
from collector.web.login import LogIn
from collector.web.pages import NotFoundError, Reading, Shown
from collector.web.site import Site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_URLS = Map(
    [
        Rule("/", endpoint="overview", methods=["GET"]),
        Rule("/districts", endpoint="districts", methods=["GET"]),
        Rule("/schools", endpoint="schools", methods=["GET"]),
        Rule("/schools/<code>", endpoint="school", methods=["GET"]),
        Rule("/faults", endpoint="faults", methods=["GET"]),
        Rule("/reports", endpoint="reports", methods=["GET"]),
        Rule("/reports/<lang>/<year>/<name>", endpoint="report_file", methods=["GET"]),
        Rule("/archives/<name>", endpoint="archive_file", methods=["GET"]),
        Rule("/health", endpoint="health", methods=["GET"]),
        Rule("/set", endpoint="choose", methods=["GET"]),
        Rule("/login", endpoint="login", methods=["GET", "POST"]),
        Rule("/logout", endpoint="logout", methods=["POST"]),
        Rule("/metrics", endpoint="metrics", methods=["GET"]),
    ],
    strict_slashes=False,
    merge_slashes=False,
)
_PAGE_S = 4.0
_MAKERS = 4
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class App:
    """Answers requests. `site` is read, `access` decides who reads."""

    def __init__(self, site: Site, access: Access, login: LogIn) -> None:
        self._site, self._access, self._login = site, access, login
        self._counting = Counting()
        self._pages: Cache[Page] = Cache(_PAGE_S, size=64)
        # SQLite gives the interpreter away at every row: pages that are made at the same time
        # wait for each other at each, and all of them take longer than one after the other.
        embedded = site.config.store.kind == "sqlite"
        self._makers = threading.Semaphore(1 if embedded else _MAKERS)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        begun = time.perf_counter()
        request = Request(environ)
        request.max_content_length = 16_384
        with speaking(language(request)):
            response = self._safely(request)
        if request.method == "HEAD":
            response.set_data(b"")
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        self._counting.add(response.status_code, time.perf_counter() - begun)
        return response(environ, start)

    def _safely(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except (HTTPException, NotFoundError) as error:
            code = error.code if isinstance(error, HTTPException) and error.code else 404
            return self._error(request, code)
        except (StoreError, RefusedError) as error:
            log.warning("web_unreadable", reason=error)
            return self._error(request, 503, str(error))
        except Exception as error:
            log.error("web_failed", reason=error, at=log.where(error))
            return self._error(request, 500)

    def _answer(self, request: Request) -> Response:
        if not self._access.known_host(request.host):
            return Response(_strange_host(), 421, mimetype="text/plain")
        path = request.path
        if path == "/healthz":
            return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})
        if path.startswith("/static/"):
            return static.response(path.removeprefix("/static/"))
        endpoint, given = _URLS.bind_to_environ(request.environ).match()
        if endpoint == "choose":
            return choice(request)
        if endpoint in ("login", "logout"):
            return self._login.answer(request, endpoint, self._page)
        try:
            visitor = self._access.visitor(request)
        except DeniedError as error:
            return self._denied(request, error)
        return self._read(request, endpoint, given, visitor)

    def _denied(self, request: Request, error: DeniedError) -> Response:
        if not error.log_in:
            return self._error(request, 403)
        back = urllib.parse.quote(request.full_path.rstrip("?"))
        return Response(status=303, headers={"Location": f"/login?back={back}",
                                             "Cache-Control": "no-store"})  # fmt: skip

    def _read(
        self, request: Request, endpoint: str, given: Mapping[str, Any], visitor: Visitor
    ) -> Response:
        reading = Reading(self._site, visitor, {k: v[:200] for k, v in request.args.items()})
        if endpoint == "metrics":
            if not visitor.whole_city:
                raise NotFoundError
            kind = "text/plain; version=0.0.4; charset=utf-8"
            return Response(self._counting.text(), content_type=kind)
        if endpoint == "report_file":
            wanted = pages.report_of(reading, given["lang"], given["year"])
            return download(self._site.report_file(wanted, given["name"]))
        if endpoint == "archive_file":
            return download(self._site.archive(given["name"]) if visitor.whole_city else None)
        key = (endpoint, tuple(given.values()), tuple(sorted(reading.args.items())),
               chosen(), theme(request), visitor)  # fmt: skip
        make: Callable[..., Shown] = getattr(pages, endpoint)
        body = self._pages.get(
            key,
            lambda: self._made(request, endpoint, lambda: make(reading, **given), visitor),
        )
        return html(request, body)

    def _made(
        self, request: Request, endpoint: str, make: Callable[[], Shown], visitor: Visitor
    ) -> Page:
        with self._makers:
            return page(self._render(request, f"{endpoint}.html.j2", make(), visitor))

    def _render(
        self, request: Request, template: str, shown: Shown, visitor: Visitor | None
    ) -> bytes:
        here = request.full_path.rstrip("?") if request.method == "GET" else request.path
        return rendering.page(
            template,
            shown,
            here=here,
            path=request.path,
            theme=theme(request),
            visitor=visitor,
            area=self._site.config.city.name,
        )

    def _page(self, request: Request, template: str, shown: Shown, code: int = 200) -> Response:
        return html(request, page(self._render(request, template, shown, None)), code)

    def _error(self, request: Request, code: int, detail: str = "") -> Response:
        try:
            visitor: Visitor | None = self._access.visitor(request)
        except Exception as error:
            log.warning("web_visitor_unknown", reason=error)
            visitor = None
        told = detail if visitor and visitor.whole_city else ""
        shown = {"code": code, "detail": told}
        made = page(self._render(request, "error.html.j2", shown, visitor))
        return html(request, made, code)


def _strange_host() -> str:
    return say(
        "这个主机名不是本站的；在 [web] hosts 里写上它\n",
        "this host name is not ours: name it in [web] hosts\n",
    )

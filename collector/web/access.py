"""Who may read what: by password, by a reverse proxy's headers, or everybody on this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from werkzeug.wrappers import Request

from agent.common import log
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.addresses import is_local
from collector.config import Web
from collector.web import passwords
from collector.web.passwords import WHOLE_CITY, User
from collector.web.sessions import COOKIE, Sessions

_DISTRICT = re.compile(r"\*|[0-9]{6}")
_NAME = re.compile(r"[^\x00-\x1f\x7f,]{1,100}")


class Visitor(NamedTuple):
    """Who reads, and what they may see."""

    name: str = ""
    district: str = WHOLE_CITY
    logged_in: bool = False  # by our own log-in, and so can log out

    @property
    def whole_city(self) -> bool:
        """Whether every district is theirs."""
        return self.district == WHOLE_CITY

    def sees(self, district: str) -> bool:
        """Whether they see what belongs to the district."""
        return self.whole_city or district == self.district


class DeniedError(Exception):
    """Nobody of ours; `log_in` says whether a password would help."""

    def __init__(self, *, log_in: bool) -> None:
        super().__init__()
        self.log_in = log_in


class Access:
    """The rules of one server. The file of passwords is read anew when it changes."""

    def __init__(self, settings: Web, sessions: Sessions) -> None:
        """Check the settings.

        Raises:
            RefusedError: reachable from outside without password or proxy, or the file is wrong.
        """
        self._settings, self._sessions = settings, sessions
        self._file = Path(settings.password_file) if settings.password_file else None
        self._proxies = frozenset(_addresses(settings.proxies))
        self._users: dict[str, User] = {}
        self._stamp: tuple[int, int] | None = None
        host = settings.address.rpartition(":")[0]
        if not (is_local(host) or self._file or self._proxies):
            raise RefusedError(_open_to_all(settings.address))
        if self._file:
            self._users = passwords.read(self._file)

    @property
    def has_log_in(self) -> bool:
        """Whether there are passwords."""
        return self._file is not None

    def visitor(self, request: Request) -> Visitor:
        """Who asks.

        Raises:
            DeniedError: nobody who may.
        """
        peer = request.remote_addr or ""
        if _plain(peer) in self._proxies:
            found = self._by_header(request)
            if found is not None:
                return found
        if self._file:
            user = self._sessions.user(request.cookies.get(COOKIE, ""), self.users())
            if user is None:
                raise DeniedError(log_in=True)
            return Visitor(user.name, user.district, logged_in=True)
        if self._proxies or not is_local(peer):
            raise DeniedError(log_in=False)
        return Visitor()

    def _by_header(self, request: Request) -> Visitor | None:
        """What the proxy says; a header that is missing or odd gives nothing away."""
        name = request.headers.get(self._settings.user_header, "")
        district = request.headers.get(self._settings.district_header, "").strip()
        if not name and not district:
            return None
        name = name.encode("latin-1", "replace").decode("utf-8", "replace")
        if not _NAME.fullmatch(name) or not _DISTRICT.fullmatch(district):
            raise DeniedError(log_in=False)
        return Visitor(name, district)

    def users(self) -> dict[str, User]:
        """Those who may log in; nobody while the file is missing or wrong."""
        if self._file is None:
            return {}
        try:
            stat = self._file.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp != self._stamp:
                self._users, self._stamp = passwords.read(self._file), stamp
        except (OSError, RefusedError) as error:
            log.error("passwords_unreadable", reason=error)
            self._users, self._stamp = {}, None
        return self._users

    def known_host(self, host: str) -> bool:
        """Whether a Host header is one of ours: a strange name in it is DNS rebinding.

        Addresses cannot be rebound, so any address is.
        """
        name = re.sub(r":[0-9]{1,5}$", "", host).lower().rstrip(".")
        if name in {"localhost", *(each.lower() for each in self._settings.hosts)}:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


def _addresses(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        try:
            yield _plain(str(ipaddress.ip_address(text)))
        except ValueError as error:
            raise RefusedError(
                say(f"[web] proxies: {text!r} 不是 IP 地址",
                    f"[web] proxies: {text!r} is no IP address")
            ) from error  # fmt: skip


def _plain(address: str) -> str:
    """An IPv4 address that came over an IPv6 socket is the same one."""
    return address.lower().removeprefix("::ffff:")


def _open_to_all(address: str) -> str:
    return say(
        f"{address} 别的电脑也能访问，要有密码或反向代理：schoolpulse web --new-password，"
        "再设 [web] password_file；或设 [web] proxies",
        f"{address} can be reached by others, so it needs a password or a reverse proxy: run "
        "schoolpulse web --new-password and set [web] password_file, or set [web] proxies",
    )

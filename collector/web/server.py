"""The pages as a server: the store is opened, waitress listens, and all of it ends together."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from agent.common import log
from agent.common.calendar import CITY_TIME
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.config import Config
from collector.store import StoreError
from collector.store.factory import open_store
from collector.web.access import Access
from collector.web.app import App
from collector.web.login import LogIn
from collector.web.sessions import Sessions, signing_key
from collector.web.site import Site

_THREADS = 8
_SWITCH_S = 0.001  # a reader waits no longer than this for what goes on in the background
_CONNECTIONS = 300
_BODY = 65_536  # bytes of a request; a log-in takes a few hundred


class Server:
    """Listens from the moment it is made; `serve` answers until `stop`."""

    def __init__(self, app: App, address: str) -> None:
        """Take the port.

        Raises:
            RefusedError: the address is none, or in use.
        """
        import waitress.server

        host, _, port = address.rpartition(":")
        try:
            self._server: Any = waitress.server.create_server(
                app, host=host.strip("[]"), port=int(port), threads=_THREADS, ident=None,
                connection_limit=_CONNECTIONS, max_request_body_size=_BODY,
                max_request_header_size=32_768, channel_timeout=60,
                clear_untrusted_proxy_headers=False,  # `access` decides whom it believes
            )  # fmt: skip
        except (OSError, ValueError, OverflowError) as error:
            raise RefusedError(_no_port(address, error)) from error

    @property
    def port(self) -> int:
        """Where it listens."""
        servers = [self._server, *getattr(self._server, "map", {}).values()]
        found = next(one for one in servers if getattr(one, "effective_port", None))
        return int(found.effective_port)

    def serve(self) -> None:
        """Answer until `stop`."""
        sys.setswitchinterval(_SWITCH_S)
        log.quieten("waitress.queue")  # a line for each request that waits
        self._server.run()

    def stop(self) -> None:
        """Close the port; answers under way end."""
        self._server.close()


@contextmanager
def opened(config: Config, config_file: str | None) -> Iterator[App]:
    """The application on the city's store and register.

    Raises:
        RefusedError: the store cannot be opened, or the pages would be open to everybody.
    """
    with ExitStack() as stack:
        try:
            config.folder.mkdir(parents=True, exist_ok=True)
            sessions = Sessions(signing_key(config.folder))
            access = Access(config.web, sessions)
            store = stack.enter_context(open_store(config))
        except (OSError, StoreError) as error:
            raise RefusedError(_no_data(config, error)) from error
        site = Site(config, store, config_file)
        site.start()
        stack.callback(site.stop)
        threading.Thread(target=_warm, args=(site,), name="web-warm", daemon=True).start()
        yield App(site, access, LogIn(access, sessions))


def _warm(site: Site) -> None:
    """Read what the first page needs before its reader comes."""
    try:
        top = site.city().area("")
        if top:
            site.trend(top)
            site.shared(site.register(), dt.datetime.now(CITY_TIME).date())
    except (StoreError, RefusedError):
        return  # the page says it


def _no_port(address: str, error: Exception) -> str:
    return say(
        f"不能监听 {address}：{error}。要写成 地址:端口，端口没有被占用（--port 换一个）",
        f"cannot listen on {address}: {error}. Use address:port, a free port (--port)",
    )


def _no_data(config: Config, error: Exception) -> str:
    return say(
        f"{config.folder}: 打不开数据：{error}。运行 schoolpulse doctor 查看办法",
        f"{config.folder}: cannot open the data: {error}; run schoolpulse doctor",
    )

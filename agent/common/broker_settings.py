"""How an agent reaches the broker: the generation of its account, the transport, a proxy."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from agent.common import secret_reading
from agent.common.language import say
from agent.common.settings import Broker

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Proxy(NamedTuple):
    """An HTTP proxy that carries the connection by CONNECT."""

    host: str
    port: int
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without its password."""
        return f"{self.host}:{self.port}"


class AgentBroker(Broker, frozen=True, forbid_unknown_fields=True):
    """The broker's settings on a school PC."""

    #: Which of the school's accounts this is; 0: not known.
    generation: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    #: auto: tcp at `port`, and where that fails websockets at `websocket_port`, in turn.
    transport: Literal["tcp", "websockets", "auto"] = "tcp"
    websocket_port: Port = 443  # with transport auto
    path: str = "/mqtt"  # of the WebSocket
    proxy: str = ""  # http://user:password@host:port
    proxy_password_file: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError where proxy or path can never work."""
        if self.proxy:
            _parsed(self.proxy)
        if not self.path.startswith("/") or any(char.isspace() for char in self.path):
            raise ValueError(
                say("broker.path 应以 / 开头，不含空格", "broker.path must begin with /, no blanks")
            )

    @property
    def ways(self) -> tuple[AgentBroker, ...]:
        """The ways to the broker to be tried in turn, each with one port and transport."""
        if self.transport != "auto":
            return (self,)
        change = msgspec.structs.replace
        return (
            change(self, transport="tcp"),
            change(self, transport="websockets", port=self.websocket_port),
        )

    def proxy_server(self) -> Proxy | None:
        """The proxy with its password; None where there is none.

        Raises:
            SettingsError: the password's file cannot be read.
        """
        if not self.proxy:
            return None
        found = _parsed(self.proxy)
        if not self.proxy_password_file:
            return found
        file = self.proxy_password_file
        return found._replace(password=secret_reading.read("broker.proxy_password_file", file))


def agent_broker(broker: Broker) -> AgentBroker:
    """The same settings, where they were read for another program: the defaults for the rest."""
    if isinstance(broker, AgentBroker):
        return broker
    return AgentBroker(**{name: getattr(broker, name) for name in Broker.__struct_fields__})


def _parsed(url: str) -> Proxy:
    """The parts of a proxy's URL; the error never repeats it, as it may hold a password."""
    wrong = say(
        "broker.proxy 应为 http://主机:端口 或 http://用户:密码@主机:端口（密码里的 @ : / 写成 "
        "%40 %3A %2F，或放进 proxy_password_file）",
        "broker.proxy must be http://host:port or http://user:password@host:port (write @ : / of "
        "the password as %40 %3A %2F, or put it into proxy_password_file)",
    )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(wrong) from error
    if parts.scheme != "http" or not host or port is None:
        raise ValueError(wrong)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(wrong)
    return Proxy(host, port, unquote(parts.username or ""), unquote(parts.password or ""))

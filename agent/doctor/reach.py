"""What `doctor` checks on the way to the broker: proxy or address, TLS, WebSocket."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import ssl
import time
from collections.abc import Iterator

from agent.common.broker_settings import AgentBroker, Proxy
from agent.common.checks import Check
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.doctor.checks import tcp
from agent.mqtt.accounts import Account
from agent.mqtt.proxy import ProxyError, through

_S = 5.0
_LONGEST = 16 * 1024  # of the answer to the request for a WebSocket, bytes


def checks(broker: AgentBroker, account: Account) -> Iterator[Check]:
    """Each step on this way to the broker; ends at the first that fails."""
    steps = [_reached, *([_tls] if broker.tls else [])]
    steps += [_websocket] if broker.transport == "websockets" else []
    for step in steps:
        check = step(broker, account)
        yield check
        if not check.ok:
            return


def _reached(broker: AgentBroker, _account: Account) -> Check:
    if not broker.proxy:
        check = tcp(say("消息服务可达", "broker reachable"), broker.host, broker.port)
        return check if check.ok else check._replace(fix=f"{check.fix}; {_other_way()}")
    name = say("经代理可达", "broker reachable through the proxy")
    started = time.monotonic()
    try:
        proxy = broker.proxy_server()
        assert proxy is not None
        through(proxy, broker.host, broker.port, _S).close()
    except SettingsError as error:
        return Check(name, False, str(error), say("改正这个文件名", "correct the file's name"))
    except ProxyError as error:
        return Check(name, False, str(error), _proxy_fix(error.status, broker))
    took = (time.monotonic() - started) * 1000
    return Check(name, True, f"{proxy} → {broker.host}:{broker.port}, {took:.0f} ms")


def _other_way() -> str:
    return say(
        '学校只放行 443 或只能走代理时：broker.transport = "auto"，或设 broker.proxy',
        'where the school lets only 443 or a proxy out: broker.transport = "auto", or broker.proxy',
    )


def _proxy_fix(status: int, broker: AgentBroker) -> str:
    where = f"{broker.host}:{broker.port}"
    if status == 407:
        return say(
            "核对 broker.proxy 的用户名和 proxy_password_file；只认 NTLM 或 Kerberos 的代理不支持，"
            "请网管为此地址放行或开 Basic",
            "check the username in broker.proxy, and proxy_password_file; a proxy that takes only"
            " NTLM or Kerberos is not supported: ask for Basic, or for no login to this address",
        )
    if 500 <= status < 600:
        return say(
            f"代理自己连不上 {where}：请网管从代理上试",
            f"the proxy itself cannot reach {where}: ask its administrator to try from there",
        )
    if status:
        return say(
            f"请网管让代理放行 CONNECT {where}；很多代理只放行 443："
            'broker.transport = "websockets"，port = 443',
            f"ask the proxy's administrator to allow CONNECT {where}; many allow 443 alone:"
            ' broker.transport = "websockets", port = 443',
        )
    return say(
        "核对 broker.proxy 的主机和端口，以及它是不是 HTTP 代理",
        "check host and port in broker.proxy, and that it is an HTTP proxy",
    )


def _opened(broker: AgentBroker) -> socket.socket:
    proxy: Proxy | None = broker.proxy_server()
    if proxy is None:
        return socket.create_connection((broker.host, broker.port), _S)
    return through(proxy, broker.host, broker.port, _S)


@contextlib.contextmanager
def _connected(broker: AgentBroker, account: Account) -> Iterator[socket.socket]:
    """A connection, with TLS where the settings say so; raises OSError, ssl.SSLError."""
    context = account.context()
    with _opened(broker) as plain:
        plain.settimeout(_S)
        if context is None:
            yield plain
            return
        with context.wrap_socket(plain, server_hostname=broker.host) as secure:
            yield secure


def _tls(broker: AgentBroker, account: Account) -> Check:
    name = say("加密连接", "TLS")
    try:
        with _connected(broker, account) as secure:
            assert isinstance(secure, ssl.SSLSocket)
            return Check(name, True, str(secure.version()))
    except ssl.SSLCertVerificationError as error:
        fix = say(
            f"证书须由 broker.ca 签发，且写有 {broker.host}",
            f"the certificate must be signed by broker.ca and contain {broker.host}",
        )
        return Check(name, False, error.verify_message, fix)
    except OSError as error:
        fix = say(
            "查 broker.ca 等文件，及端口是否为 TLS",
            "check broker.ca, and that this is the TLS port",
        )
        return Check(name, False, str(error), fix)


def _websocket(broker: AgentBroker, account: Account) -> Check:
    name = "WebSocket"
    try:
        with _connected(broker, account) as opened:
            opened.sendall(_request(broker))
            line = _status_line(opened, time.monotonic() + _S)
    except OSError as error:
        return Check(name, False, str(error), _websocket_fix("", broker))
    told = line[:80].decode("ascii", errors="replace")
    status = told.split(" ")[1:2]
    if status == ["101"]:
        return Check(name, True, broker.path)
    return Check(name, False, told, _websocket_fix("".join(status), broker))


def _request(broker: AgentBroker) -> bytes:
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = (
        f"GET {broker.path} HTTP/1.1", f"Host: {broker.host}:{broker.port}",
        "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: mqtt", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("utf-8")


def _status_line(opened: socket.socket, deadline: float) -> bytes:
    head = b""
    while b"\n" not in head and len(head) < _LONGEST:
        opened.settimeout(max(0.001, deadline - time.monotonic()))
        data = opened.recv(1024)
        if not data:
            break
        head += data
    return head.split(b"\n")[0].strip()


def _websocket_fix(status: str, broker: AgentBroker) -> str:
    if status == "404":
        return say(
            f"核对 broker.path（现为 {broker.path}）与消息服务前面的网页服务器",
            f"check broker.path ({broker.path}) against the web server before the broker",
        )
    return say(
        "这个端口上不是消息服务的 WebSocket：核对 port；或有认证门户在中间",
        "no WebSocket of a broker on this port: check port, or a portal stands between",
    )

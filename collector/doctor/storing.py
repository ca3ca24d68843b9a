"""What `schoolpulse doctor` says of the store: whether it reads and writes, and why it does not."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import urlsplit

import urllib3.exceptions as http

from agent.common import tls_errors
from agent.common.checks import Check
from agent.common.language import say
from collector import config
from collector.config import Config
from collector.doctor import files
from collector.store.base import Point, StoreError
from collector.store.factory import FILE, open_store

_BEHIND_PROXY = {502, 504}


def check(settings: Config) -> tuple[Check, float | None]:
    """Writes one point of the collector's own (queue 0), reads evidence.

    Also returns how far this clock is ahead of the store's, s.
    """
    name, kind = say("存储", "store"), settings.store.kind
    where = str(settings.folder) if kind == "sqlite" else settings.store.url
    try:
        with open_store(settings) as store:
            store.write([Point("collector", {}, {"queue": 0}, time.time_ns())])
            store.simulated()
            ahead = store.clock_ahead
    except StoreError as error:
        detail, fix = explained(error, settings)
        return Check(name, False, f"{kind} {where}: {detail}", fix), None
    said = say(f"{kind} {where} 可读写", f"{kind} {where}: reads and writes OK")
    return Check(name, True, said), ahead


def explained(error: StoreError, settings: Config) -> tuple[str, str]:
    """What is wrong with the store, and the fix."""
    if settings.store.kind == "sqlite":
        path = settings.folder / FILE
        fix = files.fix_of(error, path)
        return str(error), fix or say(f"检查 {path}", f"check {path}")
    return _answered(error, settings.store) if error.status else _silent(error, settings.store)


def _answered(error: StoreError, store: config.Store) -> tuple[str, str]:
    token = f"[store] token_file = {store.token_file}" if store.token_file else "[store] token"
    fixes = {
        401: say(
            f"令牌不对或已删除：换上有效的 {token}",
            f"the token is wrong or was deleted: put a valid one into {token}",
        ),
        403: say(
            f"令牌有效，但没有权限：给它 {store.telemetry}、{store.evidence} 两个桶的读写权限",
            f"the token is valid and lacks rights: let it read and write the buckets "
            f"{store.telemetry} and {store.evidence}",
        ),
        404: "schoolpulse doctor --fix",
        413: say("调大代理的 client_max_body_size", "raise client_max_body_size of the proxy"),
    }
    if error.status in _BEHIND_PROXY:
        fix = say(
            "代理在，后面的数据库不应答：启动它（systemctl status influxdb），核对代理的上游",
            "the proxy answers, the database behind it does not: start it (systemctl status "
            "influxdb), check the proxy's upstream",
        )
    else:
        fix = fixes.get(error.status, say("看数据库的日志", "see the database's log"))
    return str(error), fix


def _silent(error: StoreError, store: config.Store) -> tuple[str, str]:
    """No answer came: which step on the way failed."""
    parts = urlsplit(store.url)
    host = parts.hostname or store.url
    found = [each for cause in files.causes(error) for each in _within(cause)]
    for cause in found:
        if isinstance(cause, ssl.SSLError):
            return tls_errors.explained(cause, host, "")
    if any(isinstance(cause, http.NameResolutionError | socket.gaierror) for cause in found):
        fix = say(
            f"DNS 不认识 {host}：改正 [store] url，或在 DNS、/etc/hosts 里加上它",
            f"no DNS name {host}: correct [store] url, or add it to DNS or /etc/hosts",
        )
    elif any(isinstance(cause, ConnectionRefusedError) for cause in found):
        fix = say(
            f"{store.url} 没有程序监听：启动数据库（systemctl start influxdb），核对端口",
            f"nothing listens at {store.url}: start the database (systemctl start influxdb), "
            "check the port",
        )
    elif any(isinstance(cause, http.TimeoutError | TimeoutError) for cause in found):
        fix = say(
            f"{host} 没有应答：查那台机器和防火墙",
            f"{host} does not answer: check that machine and the firewall",
        )
    else:
        fix = say("核对 [store] url、token、org", "check url, token and org in [store]")
    # The system's own words: urllib3's begin with its objects.
    short = (cause.strerror for cause in found if isinstance(cause, OSError))
    return next(filter(None, short), None) or str(error), fix


def _within(error: BaseException) -> list[BaseException]:
    """An error of urllib3, and those that it keeps or arose from."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        at = waiting.pop()
        if isinstance(at, BaseException) and at not in found:
            found.append(at)
            waiting += [getattr(at, "reason", None), at.__context__, at.__cause__, *at.args]
    return found

"""What `schoolpulse doctor` checks at the broker: the way there, TLS, login, rights, queues."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from agent.common import tls, tls_errors
from agent.common.checks import Check
from agent.common.language import counted, say
from agent.wire.topics import receipt_topic
from collector.config import Config, Mqtt
from collector.service.links import topics
from collector.service.mqtt.callbacks import each
from collector.service.mqtt.link import Link, Trouble
from collector.service.pipeline.counts import Counts
from collector.service.self_metrics import SelfMetrics
from collector.store.base import StoreError
from collector.store.factory import open_store

_ANSWER_S, _REACH_S = 6.0, 5.0
#: A certificate that ends within so many days is a finding.
WARN_DAYS = 30
_DAY_S, _DAY_NS = 86_400, 86_400 * 10**9
#: A receipt for no machine shows whether we may publish: mosquitto grants every subscription.
_NOBODY = receipt_topic("0" * 10, "0" * 32)


class _Ends(NamedTuple):
    """When certificates expire, s since 1970 UTC; None: not known."""

    server: float | None
    authority: float | None


def checks(config: Config, *, stores: bool) -> Iterator[Check]:
    """Each step on the way to the broker; the first that fails is the last.

    `stores`: the store may be read; a missing file of SQLite's would be made.
    """
    broker = config.mqtt
    failed, ends = _way(broker)
    if failed is not None:
        yield failed
        return
    yield from _certificates(ends, time.time())
    found, dropped = _login(broker)
    yield found
    if found.ok:
        yield _queues(config, dropped, stores=stores)


def _name() -> str:
    return say("消息服务", "broker")


def _way(broker: Mqtt) -> tuple[Check | None, _Ends]:
    """Why it cannot be reached or trusted, and when the certificates end."""
    where, nothing = f"{broker.host}:{broker.port}", _Ends(None, None)
    try:
        context = tls.context(broker, check_dates=True)
    except OSError as error:
        fix = say("改正 [mqtt] ca、certificate、key", "correct ca, certificate and key in [mqtt]")
        file = f"{broker.ca}: " if broker.ca else ""
        return Check(_name(), False, f"{where}: {file}{error.strerror or error}", fix), nothing
    try:
        plain = socket.create_connection((broker.host, broker.port), _REACH_S)
    except OSError as error:
        said = f"{where}: {error.strerror or error}"
        return Check(_name(), False, said, _unreached(error, broker)), nothing
    with contextlib.closing(plain):
        if context is None:
            return None, nothing
        try:
            with context.wrap_socket(plain, server_hostname=broker.host) as secure:
                return None, _Ends(tls.expiry(secure), _first_end(context) if broker.ca else None)
        except OSError as error:
            ca = f"[mqtt] ca = {broker.ca}" if broker.ca else ""
            detail, fix = tls_errors.explained(error, broker.host, ca)
            return Check(_name(), False, f"{where}: {detail}", fix), nothing


def _unreached(error: OSError, broker: Mqtt) -> str:
    if isinstance(error, socket.gaierror):
        return say(
            f"DNS 不认识 {broker.host}：改正 [mqtt] host，或在 DNS、/etc/hosts 里加上它",
            f"no DNS name {broker.host}: correct [mqtt] host, or add it to DNS or /etc/hosts",
        )
    if isinstance(error, ConnectionRefusedError):
        return say(
            "启动消息服务（systemctl start mosquitto）；核对 [mqtt] port",
            "start the broker (systemctl start mosquitto); check port in [mqtt]",
        )
    return say(
        "那台机器没有应答：查它、[mqtt] host 和防火墙",
        "that machine does not answer: check it, host in [mqtt] and the firewall",
    )


def _first_end(context: ssl.SSLContext) -> float | None:
    """When the first of the trusted certificates ends."""
    ends = [ca.get("notAfter") for ca in context.get_ca_certs()]
    return min(
        (ssl.cert_time_to_seconds(end) for end in ends if isinstance(end, str)), default=None
    )


def _certificates(ends: _Ends, now: float) -> Iterator[Check]:
    """One that ends soon takes every school off at once."""
    fixes = (
        (say("消息服务的证书", "broker's certificate"), ends.server, say(
            "schoolpulse setup 会重签；别的 CA 签发的，向它要新的，再重启消息服务",
            "schoolpulse setup issues it anew; one of another CA: get it there, restart the broker",
        )),
        (say("CA 证书", "CA"), ends.authority, say(
            "先把下一个 CA 发给各校，再更换：schoolpulse ca renew",
            "give the next CA to the schools before it is used: schoolpulse ca renew",
        )),
    )  # fmt: skip
    for name, end, fix in fixes:
        if end is not None:
            days = int((end - now) // _DAY_S)
            good = days >= WARN_DAYS
            detail = say(f"还有 {days} 天到期", f"ends in {counted(days, 'day')}")
            yield Check(name, good, detail, "" if good else fix)


def _login(broker: Mqtt) -> tuple[Check, int | None]:
    """Log in, subscribe, publish; also the messages that the broker has dropped, if it says."""
    where = f"{broker.host}:{broker.port}"
    heard = SelfMetrics(Counts(), dict)
    # $SYS may be denied without harm: it is only the broker's own counts.
    said = each(lambda topic, payload, _: heard.broker_said(topic, payload))
    link = Link(broker, topics(broker), said, _nothing)
    link.start()
    try:
        up = link.wait_verdict(_ANSWER_S)
        denied = [topic for topic in link.denied if topic[0] != "$"]
        if up and link.publish(_NOBODY, b""):
            link.flush(_ANSWER_S)
        trouble = link.trouble
    finally:
        link.stop()
    return _verdict(where, up, trouble, denied), heard.broker.get("dropped")


def _nothing() -> None:
    """What is done when it is up."""


def _verdict(where: str, up: bool, trouble: Trouble, denied: list[str]) -> Check:
    name = _name()
    if not up:
        fix = say(
            "核对 [mqtt] 的 username、password；消息服务的日志里有原因",
            "check username and password in [mqtt]; the broker's log has the reason",
        )
        return Check(name, False, f"{where}: {_trouble_text(trouble)}", fix)
    if trouble.event:
        fix = say(
            "在 ACL 中允许采集账号发布 receipt、policy",
            "allow the collector to publish receipt and policy in the ACL",
        )
        return Check(name, False, f"{where}: {_trouble_text(trouble)}", fix)
    if denied:
        fix = say(
            "在 ACL 中允许采集账号订阅这些主题",
            "allow the collector to subscribe to these topics in the ACL",
        )
        return Check(name, False, f"{where}: {' '.join(denied)}", fix)
    return Check(name, True, say(f"{where} 已登录并订阅", f"{where}: logged in and subscribed"))


def _trouble_text(trouble: Trouble) -> str:
    """What is wrong with the connection, in words, and how the broker or the system put it."""
    words = {
        "broker_unreachable": say("连不上", "cannot connect"),
        "broker_refused": say("拒绝登录", "login refused"),
        "publish_denied": say("拒绝发布", "publishing refused"),
    }
    text = words.get(trouble.event, say("无应答", "no answer"))
    return f"{text}: {trouble.reason}" if trouble.reason else text


def _queues(config: Config, now_dropped: int | None, *, stores: bool) -> Check:
    """Whether the broker dropped messages in the last day: it counts them from its start on."""
    name = say("消息服务的队列", "broker's queues")
    try:
        counts = _stored(config, time.time_ns()) if stores else []
        lost = dropped(counts, now_dropped)
    except StoreError:
        lost = now_dropped
    if lost is None:
        fix = say(
            "Mosquitto：允许采集账号读 $SYS/#；HiveMQ 没有 $SYS："
            "看它自己的指标 com.hivemq.messages.dropped.count",
            "Mosquitto: let the collector's account read $SYS/#; HiveMQ has none: watch its own "
            "metric com.hivemq.messages.dropped.count",
        )
        return Check(name, None, say("$SYS 没有计数", "$SYS has no counts"), fix)
    if not lost:
        return Check(name, True, say("近 24 小时没有丢弃", "nothing dropped in the last 24 h"))
    detail = say(f"近 24 小时丢弃 {lost} 条", f"{lost} messages dropped in the last 24 h")
    fix = say(
        "采集服务跟得上吗（schoolpulse_queue）？不够就调大 mosquitto.conf 的"
        " max_queued_messages；被丢的上报会由代理重发",
        "does the collector keep up (schoolpulse_queue)? If so raise max_queued_messages in "
        "mosquitto.conf; the agents send dropped reports again",
    )
    return Check(name, False, detail, fix)


def _stored(config: Config, now: int) -> list[int]:
    """The broker's counts of the last day, oldest first. Raises StoreError."""
    with open_store(config) as store:
        rows = store.rows("broker", now - _DAY_NS, now, None, ["dropped"])
        return [int(row[-1]) for row in rows if row[-1] is not None]


def dropped(counts: list[int], now_dropped: int | None) -> int | None:
    """How many were dropped over these counts, oldest first; a restart begins again at 0.

    The first one may be of long ago, and so counts for nothing, unless it is the only one.
    """
    whole = counts if now_dropped is None else [*counts, now_dropped]
    if len(whole) < 2:
        return now_dropped
    return sum(after - before if after >= before else after for before, after in pairwise(whole))

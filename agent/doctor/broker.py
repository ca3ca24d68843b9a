"""What `doctor` checks at the broker: as the agent would connect, but without a will."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence

from agent import identity, renewed
from agent.common import log, tables
from agent.common.checks import Check
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.config import Config
from agent.doctor import reach
from agent.mqtt.accounts import Account
from agent.mqtt.connection import (
    UNSUPPORTED,
    Connected,
    Connection,
    ConnectionEndedError,
    Event,
    Published,
    Received,
    Subscribed,
)
from agent.wire import codec, topics
from agent.wire.ids import new_boot
from agent.wire.messages import Policy

_ANSWER_S = 5.0
#: How long the retained policy may take after the subscription, s.
_POLICY_S = 2.0


class BrokerChecks:
    """The checks in order, and the policy that was received meanwhile."""

    def __init__(self, config: Config, accounts: Sequence[Account] = ()) -> None:
        """`accounts`: where `agent.renewed.candidates` were asked before; in their order."""
        self._config = config
        self._accounts = accounts or renewed.candidates(config)
        self._account = self._accounts[0]
        self._way = self._account.broker.ways[0]
        self._machine = identity.identify().machine
        self.policy: Policy | None = None
        self.logged_in = False  # once the checks have been made
        self._fault = ""  # why the last step had no result

    def checks(self) -> Iterator[Check]:
        """TCP, TLS, login, subscription, policy, publishing; ends at the first that fails."""
        *others, last = self._accounts
        for account in others:  # renewed ones first, as the agent does
            self._account = account
            found = list(self._of_account())
            if any(self._is_login(check) and check.ok for check in found):
                yield from found
                return
            yield from (_passed_over(check) for check in found)
        self._account = last
        yield from self._of_account()

    def _of_account(self) -> Iterator[Check]:
        *others, last = self._account.broker.ways
        for way in others:
            found = list(reach.checks(way, self._account))
            if all(check.ok for check in found):
                yield from found
                self._way = way
                yield from self._talk()
                return
            yield from (_passed_over(check) for check in found)
        self._way = last
        reached = None
        for reached in reach.checks(last, self._account):
            yield reached
        if reached is not None and reached.ok:
            yield from self._talk()

    def _is_login(self, check: Check) -> bool:
        return check.name == self._login

    @property
    def _login(self) -> str:
        generation = self._account.broker.generation
        told = say(f"（第 {generation} 代）", f" (generation {generation})") if generation else ""
        return say("登录", "login") + told

    def _talk(self) -> Iterator[Check]:
        """Login, subscription, policy, publishing."""
        login = self._login
        connection, answer = self._connect()
        if connection is None or answer is None:
            yield Check(
                login,
                False,
                self._with_fault(say("消息服务不应答", "the broker does not answer")),
                say("查消息服务的日志", "check the broker's log"),
            )
            return
        fix = say(
            "市里可能已停用或换发这台电脑的凭据：向市里要本校的新安装包，运行 schoolpulse-agent "
            "install；自己写的配置：查 broker.username 与 password",
            "the city may have ended this PC's credential: ask it for your school's new bundle, "
            "and run schoolpulse-agent install; settings of your own: check broker.username and "
            "password",
        )
        failed = answer.reason.is_failure
        yield Check(
            login,
            not failed,
            _told(answer, connection),
            fix if failed else "",
        )
        if not failed:
            self.logged_in = True
            yield from self._listen(connection)
            yield self._publish(connection)
        connection.disconnect()

    def _connect(self) -> tuple[Connection | None, Connected | None]:
        """In each version of MQTT that the settings allow, as the link does."""
        context = self._account.context()
        for mqtt5 in [version == "5" for version in self._way.protocols]:
            try:
                who = self._machine + new_boot()
                connection = Connection(self._way, context, who, None, mqtt5=mqtt5)
            except SettingsError as error:  # the password's file
                self._fault = str(error)
                return None, None
            try:
                connection.open()
                for event in _events(connection, _ANSWER_S):
                    if isinstance(event, Connected) and not _unsupported(event, mqtt5):
                        self._fault = ""  # that of MQTT 5 says nothing of what follows
                        return connection, event
                    if isinstance(event, Connected):
                        self._fault = str(event.reason)
            except (OSError, ConnectionEndedError) as error:
                self._fault = log.words(error)
            connection.close()
        return None, None

    def _listen(self, connection: Connection) -> Iterator[Check]:
        wanted = [
            topics.receipt_topic(self._config.school, self._machine),
            topics.policy_topic(self._config.school),
        ]
        connection.subscribe(wanted)
        name = say("订阅", "subscription")
        answer: Subscribed | None = None
        try:
            for event in _events(connection, _ANSWER_S):
                if isinstance(event, Subscribed):
                    answer = event
                if isinstance(event, Received):
                    self._take_policy(event)
                if answer is not None:
                    break
        except ConnectionEndedError as error:
            self._fault = log.words(error)
        if answer is None or any(reason.is_failure for reason in answer.reasons):
            fix = say(
                "消息服务的 ACL 须允许此账号读本校主题",
                "the broker's ACL must let this account read its school's topics",
            )
            yield Check(name, False, self._with_fault(say("被拒绝", "refused")), fix)
            return
        yield Check(name, True, say("允许", "allowed"))
        yield self._policy(connection)

    def _publish(self, connection: Connection) -> Check:
        """Publish an empty presence, not retained: the collector ignores it, and nothing is kept.

        MQTT 3.1.1 has no word for a refusal: its broker acknowledges what it drops.
        """
        name = say("发布", "publishing")
        topic = topics.presence_topic(self._config.school, self._machine)
        answer: Published | None = None
        try:
            mid = connection.publish(topic, b"")
            for event in _events(connection, _ANSWER_S):
                if isinstance(event, Published) and event.mid == mid:
                    answer = event
                    break
        except ConnectionEndedError as error:
            self._fault = log.words(error)
        fix = say(
            f"消息服务的 ACL 须允许此账号写 {topic}",
            f"the broker's ACL must let this account write {topic}",
        )
        if answer is None:
            return Check(name, False, self._with_fault(say("没有应答", "no answer")), fix)
        if answer.reason.is_failure:
            return Check(name, False, str(answer.reason), fix)
        if not connection.mqtt5:
            unknown = say("已应答，MQTT 3.1.1 不说是否允许", "answered; MQTT 3.1.1 hides a refusal")
            return Check(name, None, unknown)
        return Check(name, True, str(answer.reason))

    def _policy(self, connection: Connection) -> Check:
        name = say("学校策略", "school's policy")
        try:
            for event in () if self.policy else _events(connection, _POLICY_S):
                if isinstance(event, Received):
                    self._take_policy(event)
                if self.policy is not None:
                    break
        except ConnectionEndedError as error:
            self._fault = log.words(error)
        if self.policy is not None:
            return Check(
                name, True, f"{say('发布于', 'issued')} {tables.zoned(self.policy.issued)}"
            )
        fix = say(
            "采集服务未运行，或台账中没有此校",
            "the collector is not running, or this school is not in its register",
        )
        return Check(name, None, self._with_fault(say("未收到", "not received")), fix)

    def _take_policy(self, event: Received) -> None:
        if event.topic != topics.policy_topic(self._config.school):
            return
        try:
            self.policy = codec.decode_policy(event.payload)
        except (codec.UnreadableError, codec.FutureVersionError) as error:
            self._fault = log.words(error)

    def _with_fault(self, text: str) -> str:
        return f"{text}: {self._fault}" if self._fault else text


def _passed_over(check: Check) -> Check:
    """The finding is none, as another way or account is tried."""
    if check.ok is not False:
        return check
    tried = say("下面试另一条路", "the other way is tried below")
    return check._replace(ok=None, detail=f"{check.detail} ({tried})")


def _told(answer: Connected, connection: Connection) -> str:
    """The broker's answer in words: its reason, the version, and the largest packet if limited."""
    told = f"{answer.reason}, MQTT {'5' if connection.mqtt5 else '3.1.1'}"
    if answer.max_packet is None:
        return told
    return f"{told}, {say('最大报文', 'largest packet')} {tables.size(answer.max_packet)}"


def _unsupported(event: Connected, mqtt5: bool) -> bool:
    return mqtt5 and str(event.reason) == UNSUPPORTED


def _events(connection: Connection, seconds: float) -> Iterator[Event]:
    """What happens on the connection within `seconds`.

    Raises:
        ConnectionEndedError: the broker is gone.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and connection.socket is not None:
        writing = [connection.socket] if connection.want_write else []
        readable, _, _ = select.select([connection.socket], writing, [], left)
        yield from connection.pump(readable=bool(readable))

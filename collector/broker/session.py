"""One connection to the broker's dynamic-security plugin: commands out, answers in."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agent.common import tls
from agent.common.language import say
from agent.common.settings import Broker
from collector.broker.accounts import ANSWERS, COMMANDS

_ANSWER_S = 30.0
#: Commands in one message. The broker serves nobody else until it has done them all: at 600 schools
#: some 0.15 s, as it writes its whole file at each. Fewer cost more waits for its answer.
_BATCH = 20

Command = dict[str, Any]


def stop_loop(client: mqtt.Client) -> None:
    """End paho's thread, which may end by itself at that very moment: paho 2.1 then fails."""
    with contextlib.suppress(AttributeError):
        client.loop_stop()


class ControlError(Exception):
    """The broker could not be asked, or said no; the message says what to do."""


class Session:
    """A context manager that is connected within its block."""

    def __init__(self, settings: Broker) -> None:
        self._settings = settings
        self._mark = secrets.token_hex(8)  # others may be giving commands too
        self._events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )  # fmt: skip
        put = self._events.put
        self._client.on_connect = lambda _c, _d, _f, why, _p: put(("connected", why))
        self._client.on_subscribe = lambda _c, _d, _m, why, _p: put(("subscribed", why[0]))
        self._client.on_disconnect = lambda _c, _d, _f, why, _p: put(("ended", why))
        self._client.on_publish = lambda _c, _d, _m, why, _p: put(("published", why))
        self._client.on_message = lambda _c, _d, message: put(("answer", bytes(message.payload)))

    def __enter__(self) -> Self:
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            context = tls.context(self._settings, check_dates=True)
            if context is not None:
                self._client.tls_set_context(context)
            self._client.username_pw_set(self._settings.username, self._settings.password)
            self._client.connect(self._settings.host, self._settings.port)
        except (OSError, ssl.SSLError, ValueError) as error:
            problem = say("连不上消息服务器", "cannot reach the broker")
            raise ControlError(f"{problem} {where}: {error}") from error
        self._client.loop_start()
        try:
            self._agreed("connected")
            self._client.subscribe(ANSWERS, 1)
            self._agreed("subscribed")
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._client.disconnect()
        stop_loop(self._client)

    def data(self, command: Command) -> dict[str, Any]:
        """The `data` of an answer.

        Raises:
            ControlError: the broker refused.
        """
        answer = self.ask(command)
        _refuse(command, answer)
        found = answer.get("data", {})
        return found if isinstance(found, dict) else {}

    def ask(self, command: Command) -> dict[str, Any]:
        """The answer to one command, with `error` where the broker refused.

        Raises:
            ControlError: no answer.
        """
        return self._send([command])[0]

    def run(self, commands: Sequence[Command]) -> None:
        """Give commands in their order, and stop at the first that is refused.

        Raises:
            ControlError: refused, or no answer; the message names the account or role.
        """
        for first in range(0, len(commands), _BATCH):
            batch = commands[first : first + _BATCH]
            for command, answer in zip(batch, self._send(batch), strict=True):
                _refuse(command, answer)

    def run_last(self, command: Command) -> None:
        """Give a command that changes our own account: the broker disconnects us after it.

        Raises:
            ControlError: refused, or no answer.
        """
        self._publish([command | {"correlationData": self._mark}])
        while True:
            kind, what = self._next()
            if kind == "ended":
                return
            answers = json.loads(what).get("responses", ()) if kind == "answer" else ()
            for answer in answers:
                if answer.get("correlationData") == self._mark:
                    _refuse(command, answer)
                    return

    def _publish(self, commands: Sequence[Command]) -> None:
        self._client.publish(COMMANDS, json.dumps({"commands": commands}).encode(), 1)

    def _send(self, commands: Sequence[Command]) -> list[dict[str, Any]]:
        marks = [f"{self._mark}-{secrets.token_hex(4)}" for _ in commands]
        marked = [c | {"correlationData": m} for c, m in zip(commands, marks, strict=True)]
        self._publish(marked)
        found: dict[str, dict[str, Any]] = {}
        while not all(mark in found for mark in marks):
            for answer in json.loads(self._agreed("answer")).get("responses", ()):
                found[str(answer.get("correlationData"))] = answer
        return [found[mark] for mark in marks]

    def _agreed(self, wanted: str) -> Any:
        """The next event of kind `wanted`; a refusal or an end before it is an error."""
        while True:
            kind, what = self._next()
            if kind == "ended" or (kind != "answer" and what.is_failure):
                fix = say(
                    "核对 admin 账号的密码，以及 mosquitto.conf 的 plugin 一行",
                    "check the password of account admin, and the line plugin of mosquitto.conf",
                )
                problem = say("消息服务器拒绝管理", "the broker refuses to be administered")
                raise ControlError(f"{problem}: {what}. {fix}")
            if kind == wanted:
                return what

    def _next(self) -> tuple[str, Any]:
        try:
            return self._events.get(timeout=_ANSWER_S)
        except queue.Empty:
            problem = say("消息服务器没有回应管理命令", "the broker does not answer commands")
            raise ControlError(problem) from None


def _refuse(command: Command, answer: dict[str, Any]) -> None:
    if "error" in answer:
        about = command.get("username") or command.get("rolename") or command.get("groupname") or ""
        raise ControlError(f"{command['command']} {about}: {answer['error']}")

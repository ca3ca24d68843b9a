"""HiveMQ as a process, and a client of it that says what the broker answers.

SCHOOLPULSE_TEST_HIVEMQ names a program that runs it, called with a port and a folder; what is in
the folder says `hivemq_home`.
"""

from __future__ import annotations

import os
import queue
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

import services
from collector.broker.session import stop_loop
from voice import PATIENCE_S

PROGRAM = os.environ.get("SCHOOLPULSE_TEST_HIVEMQ", "")


class Client:
    """One log-in; what the broker answers, in order."""

    def __init__(self, port: int, name: str, password: str, trusted: Path | None = None) -> None:
        self.said: queue.Queue[Any] = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(name, password)
        self.client.on_connect = lambda *given: self.said.put(given[3])
        self.client.on_subscribe = lambda *given: self.said.put(given[3][0])
        self.client.on_publish = lambda *given: self.said.put(given[3])
        self.client.on_message = lambda *given: self.said.put(given[2])
        if trusted:
            self.client.tls_set(str(trusted), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def answer(self) -> Any:
        """The next answer, or message."""
        return self.said.get(timeout=PATIENCE_S)

    def subscribed(self, topic: str) -> bool:
        """Whether it may."""
        self.client.subscribe(topic, 1)
        return not self.answer().is_failure

    def published(self, topic: str, **more: Any) -> bool:
        """Whether it may."""
        self.client.publish(topic, b"x", 1, **more)
        return not self.answer().is_failure

    def end(self) -> None:
        """Log out."""
        self.client.disconnect()
        stop_loop(self.client)


@contextmanager
def running(folder: Path, port: int) -> Iterator[services.Broker]:
    """HiveMQ, of the folder that is laid out."""
    made = services.Broker("hivemq", port, [PROGRAM, str(port), str(folder)], folder / "log")
    made.start()
    try:
        yield made
    finally:
        made.kill()

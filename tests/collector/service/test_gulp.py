"""The client that reads in gulps: the same messages as paho's own, by far fewer system calls."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import services
from collector.service.gulp import GulpClient

MANY = 3000


@pytest.mark.parametrize("size", [10, 3000])
def test_all_messages_in_order_by_few_reads(tmp_path: Path, size: int, monkeypatch: Any) -> None:
    reads = 0
    plain = mqtt.Client._sock_recv

    def counted(self: mqtt.Client, bufsize: int) -> bytes:
        nonlocal reads
        reads += isinstance(self, GulpClient)
        return plain(self, bufsize)

    monkeypatch.setattr(mqtt.Client, "_sock_recv", counted)
    with services.broker("mosquitto", tmp_path) as broker:
        heard, done, ready = [], threading.Event(), threading.Event()
        ear = GulpClient(CallbackAPIVersion.VERSION2, client_id="ear")
        ear.on_connect = lambda *_: ear.subscribe("t/#", 1)
        ear.on_subscribe = lambda *_: ready.set()

        def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
            heard.append(message.payload)
            if len(heard) == MANY:
                done.set()

        ear.on_message = on_message
        ear.connect("127.0.0.1", broker.port)
        ear.loop_start()
        assert ready.wait(10)
        reads = 0
        voice = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="voice")
        voice.max_inflight_messages_set(MANY)
        voice.connect("127.0.0.1", broker.port)
        sent = [f"{n}".ljust(size).encode() for n in range(MANY)]
        for payload in sent:
            voice.publish("t/x", payload, 1)
        voice.loop_start()
        assert done.wait(30), f"{len(heard)} of {MANY}"
        for client in (voice, ear):
            client.disconnect()
            client.loop_stop()
    assert heard == sent
    assert reads < 2 * MANY, "paho alone reads three times a message"

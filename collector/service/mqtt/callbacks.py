"""What a connection calls with what it has received; an error there must not end its thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent.common import log
from collector.service.mqtt.packets import Publish

OnMessage = Callable[[str, bytes, bool], None]  # topic, payload, whether it was retained
OnMessages = Callable[[Sequence[Publish]], None]
OnUp = Callable[[], None]


def each(on_message: OnMessage) -> OnMessages:
    """A callback for lists that calls `on_message` for each; an error in one costs no other."""

    def on_messages(messages: Sequence[Publish]) -> None:
        for message in messages:
            guarded(on_message, message.topic, message.payload, message.retained)

    return on_messages


def guarded(call: Callable[..., None], *words: Any) -> None:
    """Call it; an exception is logged."""
    try:
        call(*words)
    except Exception as error:
        log.warning("callback_failed", reason=error, at=log.where(error))

"""What the broker's thread does with each read: nearly all of it goes into the inbox as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from agent.common import log
from collector.service.mqtt.packets import Publish
from collector.service.mqtt.reports import Reports
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.retained import Retained, is_asked_for


class Reception:
    """`received` runs in the broker's thread: as little work as possible."""

    def __init__(
        self,
        inbox: Inbox,
        counts: Counts,
        retained: Retained,
        hello: Callable[[str, bytes], bool],
        broker_said: Callable[[str, bytes], None],
        *,
        grouped: bool,
    ) -> None:
        """`hello` answers one, and returns whether it was one; `grouped` as of `Links`."""
        self._inbox, self._counts, self._retained = inbox, counts, retained
        self._hello, self._broker_said = hello, broker_said
        self._grouped = grouped

    def received(self, messages: Sequence[Publish]) -> None:
        """Take messages of one read that came together."""
        if isinstance(messages, Reports):  # there is nothing to see here of these
            taken = self._inbox.put_reports(messages, time.time_ns())
            self._count(len(messages), len(messages) - taken)
        else:
            self._sort(messages)
        self._retained.retry()

    def _sort(self, messages: Sequence[Publish]) -> None:
        wanted = [
            Message(topic, payload, at, retained)  # a PC's presences are told apart by its time
            for at, (topic, payload, retained, _, _) in enumerate(messages, time.time_ns())
            if self._is_for_inbox(topic, payload, retained)
        ]
        known = sum(_is_known(topic, retained) for topic, _, retained, _, _ in messages)
        self._count(len(messages) - known, len(wanted) - self._inbox.put_all(wanted))

    def _count(self, received: int, turned_away: int) -> None:
        self._counts.add("received", received)
        if turned_away:
            self._counts.add("turned_away", turned_away)

    def _is_for_inbox(self, topic: str, payload: bytes, retained: bool) -> bool:
        """Handle what is not; what fails here costs no other message."""
        try:
            if topic.startswith("$"):  # the broker itself
                self._broker_said(topic, payload)
                return False
            if self._grouped and is_asked_for(topic, retained):
                return False  # it comes by the connection that has all of them in order
            if not self._retained.admits(topic, payload, retained):
                return False
            # Hellos bypass the inbox, as it may be full.
            return not (topic.endswith("/1") and self._hello(topic, payload))
        except Exception as error:
            log.warning("callback_failed", reason=error, at=log.where(error))
            return False


def _is_known(topic: str, retained: bool) -> bool:
    """Whether it is no news of a PC: the broker's own, or a presence that it had kept."""
    return topic.startswith("$") or is_asked_for(topic, retained)

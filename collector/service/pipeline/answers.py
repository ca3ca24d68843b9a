"""The answers to a batch of reports: receipts, holds, and the quarantine before them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence

from agent.common import log
from collector.ingest import Held, Quarantined
from collector.service.mqtt.packets import Outgoing
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.held_book import HeldBook
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.quarantine import Quarantine, Row
from collector.service.pipeline.receipts import Entry, merge
from collector.service.pipeline.resend_request import ResendRequest

#: Returns how many of them it sent or queued.
PublishAll = Callable[[Sequence[Outgoing]], int]
Refused = tuple[Message, Quarantined]


class Answers:
    """Safe to use from several threads."""

    def __init__(
        self,
        quarantine: Quarantine,
        publish_all: PublishAll,
        counts: Counts,
        resend_request: ResendRequest | None = None,
        book: HeldBook | None = None,
    ) -> None:
        self._book = book
        self._quarantine, self._publish_all, self._counts = quarantine, publish_all, counts
        self._resend_request = resend_request

    def quarantine(self, refused: Sequence[Refused], held: list[Held]) -> list[Entry]:
        """Quarantine messages, and return the receipts due for them.

        A report that does not fit is added to `held`; one that names no sender gets no answer.
        """
        entries: list[Entry] = []
        for (message, outcome), done in zip(refused, self._keep(refused), strict=True):
            if done:
                self._counts.quarantine(outcome.reason)
                log.info("quarantined", topic=message.topic, reason=outcome.reason)
            if outcome.source is not None and done:
                entries.append(Entry(outcome.source))
            elif outcome.source is not None:
                held.append(Held(outcome.source, "quarantine_full"))
        return entries

    def _keep(self, refused: Sequence[Refused]) -> list[bool]:
        if not refused:
            return []
        rows = [Row(m.arrived, m.topic, m.payload, outcome.reason) for m, outcome in refused]
        try:
            return self._quarantine.add(rows)
        except sqlite3.Error as error:
            log.warning("quarantine_failed", reason=error)
            return [False] * len(rows)

    def send(self, entries: Sequence[Entry], held: Sequence[Held]) -> None:
        """Publish a receipt to each machine."""
        now_ms = time.time_ns() // 1_000_000
        if held:
            self._counts.hold([item.reason for item in held])
        if self._book is not None:
            self._book.note(held, now_ms)
            self._book.flush_when_due()
        since = self._resend_request.since if self._resend_request else None
        receipts = [Outgoing(*receipt) for receipt in merge(entries, held, now_ms, since)]
        if unsent := len(receipts) - self._publish_all(receipts):
            self._counts.add("receipts_unsent", unsent)
        self._counts.add("receipted", len(entries))

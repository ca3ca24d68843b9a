"""Hellos, answered at once: a PC must learn the time even while the store is down."""

from __future__ import annotations

import time
from collections.abc import Callable

from collector.ingest import Answered, Known, decode
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.gate import Gate
from collector.service.pipeline.receipts import Entry, merge
from collector.service.pipeline.resend_request import ResendRequest
from collector.service.renewals import Renewals


class Hellos:
    """For the broker's thread."""

    def __init__(
        self,
        known: Known,
        gate: Gate,
        counts: Counts,
        resend_request: ResendRequest,
        renewals: Renewals,
        publish: Callable[[str, bytes], bool],
    ) -> None:
        """`publish` as `Link.publish`, of a connection that does not receive."""
        self._known, self._gate, self._counts = known, gate, counts
        self._resend_request, self._renewals = resend_request, renewals
        self._publish = publish

    def answer(self, topic: str, payload: bytes) -> bool:
        """Send its receipt; False where it is no hello."""
        hello = decode(topic, payload, self._known, 0)
        if not isinstance(hello, Answered):
            return False
        if self._gate.hello_within(hello.source.school, len(payload), time.monotonic()):
            self._send(hello)
        else:
            self._counts.add("ignored")  # the agent says it again; a flood of them costs nothing
        return True

    def _send(self, hello: Answered) -> None:
        self._counts.add("hellos")
        entry, since = Entry(hello.source, hello.echo), self._resend_request.since
        renewal = self._renewals.answer(hello.source, hello.credential, hello.ca)
        for to, receipt in merge([entry], (), time.time_ns() // 1_000_000, since, renewal):
            if not self._publish(to, receipt):
                self._counts.add("receipts_unsent")

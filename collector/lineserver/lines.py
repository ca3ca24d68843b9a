"""The schools' lines as the collector publishes them, for a server without the register.

The collector retains each school's policy on the broker, so a connection brings them all, and each
change at once. They are kept in a file, for a start while the broker is down. The broker lets
nobody but the collector publish them.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from agent import wire
from agent.common import log
from agent.common.settings import Broker
from agent.common.sqlite import open_file
from agent.wire.codec import FutureVersionError, UnreadableError, decode_policy
from agent.wire.topics import TopicError, parse_topic, policy_topic
from collector.lineserver.turns import Answer, Limits, Wish
from collector.service.mqtt.callbacks import each
from collector.service.mqtt.link import Link

_FIRST = "CREATE TABLE IF NOT EXISTS policy (school TEXT PRIMARY KEY, body BLOB NOT NULL);"


class PublishedLines:
    """The limits of each line, by the newest policies. Safe to use from several threads."""

    def __init__(self, broker: Broker, path: Path, by_hand: int) -> None:
        """Read what was kept. `by_hand`: tests of a line by hand a day, which no policy names.

        Raises:
            OSError, sqlite3.Error: the file, or a TLS file of the settings, cannot be read.
        """
        self._by_hand = by_hand
        self._lock = threading.Lock()
        self._base = open_file(path, (_FIRST,))
        self._lines: dict[str, dict[str, Limits]] = {}
        for school, body in self._base.execute("SELECT school, body FROM policy").fetchall():
            self._read(school, body)
        self._link = Link(broker, [policy_topic("+")], each(self.received), lambda: None)

    @property
    def known(self) -> bool:
        """Whether any school's lines are known."""
        return bool(self._lines)

    def start(self) -> None:
        """Connect, and stay connected."""
        self._link.start()

    def stop(self) -> None:
        """Disconnect, and close the file."""
        self._link.stop()
        with self._lock:
            self._base.close()

    def __call__(self, wish: Wish) -> Limits | Answer:
        """The limits of the wish's line; `unknown_line`, or `no_lines` before any policy came."""
        if not self.known:
            return "no_lines"
        return self._lines.get(wish.school, {}).get(wish.line, "unknown_line")

    def received(self, topic: str, payload: bytes, _retained: bool) -> None:
        """Take a school's policy; an empty one: the school has left the register."""
        try:
            school = parse_topic(topic).school
        except TopicError as error:
            log.warning("policy_unreadable", reason=error)
            return
        if not payload:
            self._lines.pop(school, None)
            self._keep("DELETE FROM policy WHERE school = ?", (school,))
        elif self._read(school, payload):
            self._keep("INSERT OR REPLACE INTO policy VALUES (?, ?)", (school, payload))

    def _read(self, school: str, payload: bytes) -> bool:
        """Take a policy; one that cannot be read is logged, and the one in force stays."""
        try:
            policy = decode_policy(payload)
            if policy.school != school:
                raise UnreadableError(f"a policy of {policy.school}")
        except (UnreadableError, FutureVersionError) as error:
            log.warning("policy_unreadable", school=school, reason=error)
            return False
        self._lines[school] = {row.line: self._limits(row) for row in policy.lines}
        return True

    def _limits(self, row: wire.LinePolicy) -> Limits:
        per_day = row.quiet_per_day, row.lesson_per_day, self._by_hand
        return Limits(*per_day, row.month_bytes, row.max_seconds)

    def _keep(self, statement: str, values: tuple[str | bytes, ...]) -> None:
        try:
            with self._lock:
                self._base.execute(statement, values)
        except sqlite3.Error as error:  # known until the next start, and published again then
            log.error("policy_not_kept", reason=error)

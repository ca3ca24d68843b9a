"""The collector's connections to the broker: reports in, receipts and policies out, presences.

Two connections at least, because a full inbox makes the receiving one wait: on a shared
connection the broker's acknowledgements of our receipts would queue behind every message that
it has for us. In a group a third connection receives the presences of all machines,
since a shared subscription delivers only a share of the live ones, and those retained in no order.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence

from agent.common.settings import Broker
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS, presence_topic
from collector.config import Mqtt
from collector.service.mqtt.callbacks import OnMessages, OnUp
from collector.service.mqtt.link import Link
from collector.service.self_metrics import SYS


def group_of(broker: Broker) -> str:
    """The group of collectors that share the reports between them; empty: none."""
    return broker.group if isinstance(broker, Mqtt) else ""


def share_of(broker: Broker) -> str:
    """The name under which the group shares its messages; empty: no group.

    It has a part that only those who share our log-in can make, so nobody joins by guessing.
    """
    group = group_of(broker)
    password = broker.secret()
    if not group or not password:
        return group
    drawn = hmac.new(password.encode(), group.encode(), "sha256").hexdigest()
    return f"{group}-{drawn[:16]}"


def topics(broker: Broker) -> tuple[str, ...]:
    """What the receiving connection subscribes to: in a group, its share of it."""
    group = share_of(broker)
    share = f"$share/{group}/" if group else ""
    return (share + ALL_REPORTS, share + ALL_PRESENCE, *SYS)


class Links:
    """`reports` receives, `outgoing` publishes, `presences` receives every machine's presence.

    Outside a group `presences` is `reports`.
    """

    def __init__(
        self,
        broker: Broker,
        on_messages: OnMessages,
        on_presences: OnMessages,
        on_up: OnUp,
        on_missed: OnUp = lambda: None,
    ) -> None:
        """`on_up` is called when `reports` or `outgoing` comes up, `on_presences` in a group only.

        `on_missed` is called where presences may have been missed, and has them asked for: the
        subscription to all of them brings live ones.
        """
        self._on_up, self._on_missed = on_up, on_missed
        self._asked: list[str] = []
        self.reports = Link(broker, topics(broker), on_messages, self._reports_up)
        self.outgoing = Link(broker, (), lambda *_: None, on_up)
        self.presences = self.reports
        if group_of(broker):
            self.presences = Link(broker, (ALL_PRESENCE,), on_presences, on_missed)

    def start(self) -> None:
        """Connect, and stay connected; the outgoing connection first."""
        self.outgoing.start()
        self.reports.start()
        if self.presences is not self.reports:
            self.presences.start()

    def wait_up(self, seconds: float) -> bool:
        """Whether all of them are connected and subscribed within `seconds`."""
        deadline = time.monotonic() + seconds
        links = self.outgoing, self.reports, self.presences
        return all(link.wait_up(max(0.0, deadline - time.monotonic())) for link in links)

    @property
    def grouped(self) -> bool:
        """Whether the presences of all have a connection of their own."""
        return self.presences is not self.reports

    def _reports_up(self) -> None:
        """What was published while this connection was away came to nobody, or not to us."""
        self._on_up()
        self._on_missed()

    def resend_presences(self) -> None:
        """Have the broker send the retained presences once more, soon."""
        self._on_missed()

    def ask_presences(self, schools: Sequence[str]) -> None:
        """The same of these schools, now. Then end it by none: else a live one comes twice."""
        self.presences.unsubscribe(*self._asked)
        self._asked = [presence_topic(school, "+") for school in schools]
        self.presences.resubscribe(*self._asked)

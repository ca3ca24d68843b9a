"""The collector's connections to the broker: reports in, receipts and policies out, presences.

Two connections at least, because a full inbox makes the receiving one wait: on a shared
connection the broker's acknowledgements of our receipts would queue behind every message that
it has for us. In a group a third connection receives the presences of all machines,
since a shared subscription delivers no retained messages and only a share of the live ones.
"""

from __future__ import annotations

import hmac
import time

from agent.common.settings import Broker
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS
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
        self, broker: Broker, on_messages: OnMessages, on_presences: OnMessages, on_up: OnUp
    ) -> None:
        """`on_presences` is called in a group only; `on_up` when either of the others comes up."""
        self.reports = Link(broker, topics(broker), on_messages, on_up)
        self.outgoing = Link(broker, (), lambda *_: None, on_up)
        self.presences = self.reports
        if group_of(broker):
            self.presences = Link(broker, (ALL_PRESENCE,), on_presences, lambda: None)

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

    def resend_presences(self) -> None:
        """Have the broker send the retained presences once more."""
        self.presences.resubscribe(ALL_PRESENCE)

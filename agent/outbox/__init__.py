"""The outbox: a durable queue of reports; each stays until the collector's receipt."""

from agent.outbox.file import Counts
from agent.outbox.limits import Limits
from agent.outbox.outbox import WINDOW, FullError, Outbox, OutboxError, TooLargeError
from agent.outbox.window import Outgoing

__all__ = [
    "WINDOW",
    "Counts",
    "FullError",
    "Limits",
    "Outbox",
    "OutboxError",
    "Outgoing",
    "TooLargeError",
]

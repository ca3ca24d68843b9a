"""The outbox: a durable queue of reports; each stays until the collector's receipt."""

from agent.outbox.file import COUNTERS, HELD, RECEIPTED, Counts, counter, fact, open_readonly
from agent.outbox.limits import Limits
from agent.outbox.outbox import WINDOW, FullError, Outbox, OutboxError, TooLargeError
from agent.outbox.window import Outgoing

__all__ = [
    "COUNTERS",
    "HELD",
    "RECEIPTED",
    "WINDOW",
    "Counts",
    "FullError",
    "Limits",
    "Outbox",
    "OutboxError",
    "Outgoing",
    "TooLargeError",
    "counter",
    "fact",
    "open_readonly",
]

"""The log: a constant event name, then its fields."""

from __future__ import annotations

import logging

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Fields(logging.Formatter):
    """`time level event key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with the fields given as `extra`."""
        fields = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        text = super().format(record)
        head, *rest = text.split("\n")
        pairs = "".join(f" {name}={value!r}" for name, value in fields.items() if value != "")
        return "\n".join([head + pairs, *rest])


def configure(*, verbose: bool = False) -> None:
    """Log to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Fields("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])

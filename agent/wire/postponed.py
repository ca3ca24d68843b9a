"""What a line test may end in beside a result. Not on the wire."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Postponed(Struct, frozen=True):
    """The measurement server granted no test: why, and when to ask again."""

    answer: Literal["busy", "enough", "full", "later"]
    retry_s: int

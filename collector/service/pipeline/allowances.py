"""What is left of each school's lasting allowance, kept over a restart of the collector.

One small file for all schools, replaced whole once a minute: a collector that is killed gives back
what a school used within that minute. Of several collectors on one folder, each of which counts
for itself, the last that wrote it counts after a restart.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from agent.common import files, log
from agent.common.decoding import decode
from collector.service.pipeline.rates import Left, Rates

FILE = "allowances.json"
_SAVE_S = 60.0


class Allowances:
    """`allowances.json`. For the thread that uses the rates."""

    def __init__(self, path: Path, rates: Rates) -> None:
        """Give the schools what the file says; one that cannot be read is told and left aside."""
        self._path, self._rates = path, rates
        self._due = time.monotonic() + _SAVE_S
        self._failing = False
        try:
            left = decode(path.read_bytes(), dict[str, Left])
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("allowances_not_read", path=path, reason=error)
            return
        rates.restore(left, time.monotonic(), time.time())

    def save_when_due(self) -> None:
        """Write them, once a minute; called often."""
        if time.monotonic() >= self._due:
            self.save()

    def save(self) -> None:
        """Write them. What fails is logged once, and written by a later call."""
        self._due = time.monotonic() + _SAVE_S
        left = self._rates.left(time.monotonic(), time.time())
        try:
            # It is no promise: a power cut may cost it.
            files.replace(self._path, msgspec.json.encode(left), durable=False)
        except OSError as error:
            if not self._failing:
                log.warning("allowances_not_saved", path=self._path, reason=error)
            self._failing = True
            return
        self._failing = False

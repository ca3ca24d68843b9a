"""Devices on the network that the settings list: whether they answer, and what they say.

A resident agent must not wait for a projector: threads of its own ask, every minute, and the
probe tells what they heard last. A command waits for the answers.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Sequence

from agent.config import Watched
from agent.probes import network_ask
from agent.probes.runner import Context
from agent.wire import Device

_EVERY_S = 60.0
#: One thread asks this many; a dead one holds it up for some seconds.
_EACH = 4
_MOST_THREADS = 8
_MEMORY = "network"
#: Our own network is away: that says nothing of any device.
_OURS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each listed device that has been asked.

    Raises:
        OSError: this PC has no network.
    """
    if not context.watched:
        return ()
    watch = context.memory.get(_MEMORY)
    if not isinstance(watch, Watch):
        watch = context.memory[_MEMORY] = Watch(context.watched)
        watch.start()
    return watch.look(wait=context.patient)


class Watch:
    """Asks the devices again and again. Threads are daemons: they hold nothing."""

    def __init__(self, watched: Sequence[Watched], every_s: float = _EVERY_S) -> None:
        self._watched, self._every_s = watched, every_s
        self._heard: dict[Watched, Device | OSError] = {}
        self._changed = threading.Condition()

    def start(self) -> None:
        """Begin to ask."""
        threads = min(_MOST_THREADS, -(-len(self._watched) // _EACH))
        for number in range(threads):
            part = self._watched[number::threads]
            threading.Thread(target=self._run, args=(part,), name="watch", daemon=True).start()

    def look(self, *, wait: bool = False) -> tuple[Device, ...]:
        """What was heard last; `wait` until each device was asked once.

        Raises:
            OSError: this PC has no network.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: len(self._heard) == len(self._watched))
            heard = [self._heard[one] for one in self._watched if one in self._heard]
        for said in heard:
            if isinstance(said, OSError):
                raise said
        return tuple(said for said in heard if isinstance(said, Device))

    def ask(self, one: Watched) -> None:
        """Ask a device now, and remember what it said."""
        try:
            said: Device | OSError = network_ask.ask(one)
        except OSError as error:
            said = error if error.errno in _OURS else network_ask.silent(one)
        with self._changed:
            self._heard[one] = said
            self._changed.notify_all()

    def _run(self, part: Sequence[Watched]) -> None:
        while True:
            started = time.monotonic()
            for one in part:
                self.ask(one)
            time.sleep(max(1.0, started + self._every_s - time.monotonic()))

"""Devices on the network that the settings list: whether they answer, and what they say.

A resident agent must not wait for a projector: threads of its own ask, every minute, and the
probe tells what they heard last. A command waits for the answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from agent.common import log
from agent.config import Watched
from agent.probes.network import ask as network_ask
from agent.probes.runner import Context
from agent.wire import Device

_EVERY_S = 60.0
#: One thread asks this many; a dead one holds it up for some seconds.
_EACH = 4
_MOST_THREADS = 32  # a school of 128 devices, all dead, is asked in half an interval
_MEMORY = "network"


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each listed device of which it is known whether it is there.

    Raises:
        UnknowableError: nothing is known of any, as where this PC has no network.
    """
    if not context.watched:
        return ()
    watch = context.memory.get(_MEMORY)
    if not isinstance(watch, Watch):
        watch = context.memory[_MEMORY] = Watch(context.watched)
        watch.start()
    return watch.look(wait=context.patient)


def unknowable(context: Context) -> Mapping[str, str]:
    """Why nothing is known of some devices, by their host; from the last run of the probe."""
    watch = context.memory.get(_MEMORY)
    return watch.unknowable() if isinstance(watch, Watch) else {}


class Watch:
    """Asks the devices again and again. Threads are daemons: they hold nothing."""

    def __init__(self, watched: Sequence[Watched], every_s: float = _EVERY_S) -> None:
        self._watched = tuple(dict.fromkeys(watched))  # one listed twice is one
        self._every_s = every_s
        self._heard: dict[Watched, Device | Exception] = {}
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
            UnknowableError: of those asked, nothing is known of any.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: len(self._heard) == len(self._watched))
            heard = [self._heard[one] for one in self._watched if one in self._heard]
        found = tuple(said for said in heard if isinstance(said, Device))
        if heard and not found:
            raise network_ask.UnknowableError(str(heard[0]))
        return found

    def unknowable(self) -> dict[str, str]:
        """Why nothing is known of some, by host."""
        with self._changed:
            heard = list(self._heard.items())
        return {one.host: str(said) for one, said in heard if isinstance(said, Exception)}

    def ask(self, one: Watched) -> None:
        """Ask a device now, and remember what it said."""
        said: Device | Exception
        try:
            said = network_ask.ask(one)
        except Exception as error:  # whatever one of them does, the others must be asked
            said = error
        with self._changed:
            before = self._heard.get(one)
            self._heard[one] = said
            self._changed.notify_all()
        if isinstance(said, Exception) and repr(said) != repr(before):
            log.info("not_asked", host=one.host, reason=said)

    def _run(self, part: Sequence[Watched]) -> None:
        while True:
            started = time.monotonic()
            for one in part:
                self.ask(one)
            time.sleep(max(1.0, started + self._every_s - time.monotonic()))

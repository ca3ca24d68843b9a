"""Probe of the network devices in the settings: whether they answer, and their state.

A resident agent must not wait for a projector, so threads of its own query the devices every
minute and the probe returns their latest answers. A command waits for the answers.
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
#: Devices per thread; a device that does not answer blocks it for some seconds.
_EACH = 4
_MOST_THREADS = 32  # 128 devices that do not answer take half an interval
_MEMORY = "network"


def probe(context: Context) -> tuple[Device, ...]:
    """One reading for each listed device that is known to be present or absent.

    Raises:
        UnknowableError: nothing is known of any device, as without a network.
    """
    if not context.watched:
        return ()
    watch = context.memory.get(_MEMORY)
    if not isinstance(watch, Watch):
        watch = context.memory[_MEMORY] = Watch(context.watched)
        watch.start()
    return watch.latest(wait=context.patient)


def unknowable(context: Context) -> Mapping[str, str]:
    """Why the state of some devices is unknown, by host; from the last run of the probe."""
    watch = context.memory.get(_MEMORY)
    return watch.unknowable() if isinstance(watch, Watch) else {}


class Watch:
    """Queries the devices periodically, in daemon threads."""

    def __init__(self, watched: Sequence[Watched], every_s: float = _EVERY_S) -> None:
        self._watched = tuple(dict.fromkeys(watched))  # without duplicates
        self._every_s = every_s
        self._answers: dict[Watched, Device | Exception] = {}
        self._answered = threading.Condition()

    def start(self) -> None:
        """Start the threads."""
        threads = min(_MOST_THREADS, -(-len(self._watched) // _EACH))
        for number in range(threads):
            part = self._watched[number::threads]
            threading.Thread(target=self._run, args=(part,), name="watch", daemon=True).start()

    def latest(self, *, wait: bool = False) -> tuple[Device, ...]:
        """The latest readings; `wait` until each device was queried once.

        Raises:
            UnknowableError: nothing is known of any device queried so far.
        """
        with self._answered:
            if wait:
                self._answered.wait_for(lambda: len(self._answers) == len(self._watched))
            answers = [self._answers[one] for one in self._watched if one in self._answers]
        found = tuple(answer for answer in answers if isinstance(answer, Device))
        if answers and not found:
            raise network_ask.UnknowableError(str(answers[0]))
        return found

    def unknowable(self) -> dict[str, str]:
        """Why the state of some devices is unknown, by host."""
        with self._answered:
            answers = list(self._answers.items())
        return {one.host: str(error) for one, error in answers if isinstance(error, Exception)}

    def ask(self, one: Watched) -> None:
        """Query a device now, and keep its answer."""
        answer: Device | Exception
        try:
            answer = network_ask.ask(one)
        except Exception as error:  # of any kind: the other devices must still be queried
            answer = error
        with self._answered:
            before = self._answers.get(one)
            self._answers[one] = answer
            self._answered.notify_all()
        if isinstance(answer, Exception) and repr(answer) != repr(before):
            log.info("not_asked", host=one.host, reason=answer)

    def _run(self, part: Sequence[Watched]) -> None:
        while True:
            started = time.monotonic()
            for one in part:
                self.ask(one)
            time.sleep(max(1.0, started + self._every_s - time.monotonic()))

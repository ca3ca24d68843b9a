"""The agents of the schools beside one school's holder: `holder.py` runs it, and asks it by line.

Arguments: the city's folder, how many agents, seconds between two reports of one. Each line on
standard input is answered with one of JSON: `latencies` with those since the last time, s, `end`
with the reports made and those without a receipt; any other breaks a projector at that connector.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import stampede
import tls

from agent.common.settings import Broker
from agent.wire.messages import Device
from city_broker import CityBroker

SCHOOLS = [f"99000{n:05}" for n in range(1, 21)]
CITY = "10.99.0.1"
PORT = 8883  # as deploy/nftables has it
#: By PC, the device that is broken there.
BROKEN: dict[str, tuple[Device, ...]] = {}


class FromMaking(stampede.Timed):
    """An outbox that measures from a report's making to its receipt, however often it is sent."""

    def put(self, *words: Any, **more: Any) -> int:
        """Note when."""
        number = super().put(*words, **more)
        self.sent[self.boot, number] = time.perf_counter()
        return number

    def due(self) -> list[Any]:
        """As ever: a resend does not count anew."""
        kept = dict(self.sent)
        found = super().due()
        self.sent.update(kept)
        return found


class Fleet(tls.City):
    """Agents of the other schools, each with its school's log-in."""

    def latencies(self) -> list[float]:
        """Taken once."""
        found = []
        for outbox in self.outboxes():
            late, outbox.late = outbox.late, []
            found += late
        return found

    def breaks(self, connector: str) -> None:
        """The next PC reports a projector at this connector, its lamp broken, from now on."""
        machine = list(self._running)[len(BROKEN) % len(self._running)]
        BROKEN[machine] = (Device("projector", connector, power="on", fault="lamp"),)
        self.put(machine, (*stampede._HOST, *BROKEN[machine]))


def _readings(machine: str) -> tuple[Any, ...]:
    return *stampede._HOST, *BROKEN.get(machine, ())


def main() -> int:
    """Run the agents, and answer what is asked on standard input."""
    folder, agents, each = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    stampede.Timed = FromMaking  # type: ignore[misc]
    city = CityBroker(PORT, folder, folder / "mosquitto.conf")
    Fleet.city = Away(PORT, folder, city.config)
    who = [
        tls.FleetAgent(SCHOOLS[n % len(SCHOOLS)], one, partial(_readings, one))
        for n, one in ((n, f"{n:032x}") for n in range(1, agents + 1))
    ]
    with tempfile.TemporaryDirectory() as data:
        nobody = Fleet.city.settings(SCHOOLS[0])
        fleet = Fleet(nobody, who, Path(data), report_s=each, simulated=False)
        fleet.start()
        stampede._until(lambda: fleet.ready() == agents, 120, "the agents")
        print(json.dumps("ready"), flush=True)
        for word in sys.stdin:
            if word.strip() == "end":
                break
            asked = word.strip() == "latencies"
            print(
                json.dumps(fleet.latencies() if asked else fleet.breaks(word.strip())), flush=True
            )
        fleet.quiet()
        with contextlib.suppress(SystemExit):
            stampede._until(lambda: not fleet.waiting(), 120, "the last receipts")
        print(json.dumps([len(fleet.produced()), fleet.waiting()]), flush=True)
        fleet.stop()
    return 0


class Away(CityBroker):
    """The broker as it is reached from outside."""

    def settings(self, username: str) -> Broker:
        """See `CityBroker`."""
        inside = super().settings(username)
        return Broker(**{n: getattr(inside, n) for n in inside.__struct_fields__} | {"host": CITY})


if __name__ == "__main__":
    sys.exit(main())

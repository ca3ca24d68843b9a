"""A real Mosquitto with the settings and accounts that `schoolpulse setup` and `enrol` wrote."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import services
from enrolled_city import EnrolledCity


@contextmanager
def mosquitto(city: EnrolledCity) -> Iterator[subprocess.Popen[bytes]]:
    """The broker with the settings that `setup` wrote; as root, for a folder of tests is closed."""
    conf = city.folder / "mosquitto.conf"
    text = (city.place.broker / "mosquitto.conf").read_text()
    conf.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    argv = [services.require("mosquitto"), "-c", str(conf)]
    with services.started(argv, city.folder / "mosquitto.log") as process:
        services.wait_port(city.port, process)
        yield process

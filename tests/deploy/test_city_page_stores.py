"""docs/deploy/city.md on an empty machine, word for word, with InfluxDB 2.x and Grafana.

The machine is an overlay over this one (tests/support/composed.py), so /etc/schoolpulse and
/var/lib/schoolpulse are the page's own and are gone afterwards. Which programs are given, and how:
tests/deploy/test_compose_run.py.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import composed
import services
from city_page import fence
from composed import GRAFANA_HOME, INFLUX, INFLUXD, Machine
from voice import until

SCHOOL = "9963020002"
NAMES = {"10.95.0.1": "broker.city"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="mount namespaces need root"),
    pytest.mark.skipif(not INFLUXD or not INFLUX, reason="no InfluxDB 2.x and influx are given"),
    pytest.mark.skipif(not GRAFANA_HOME, reason="no Grafana is given"),
]


class City:
    """What is typed on the machine, and how many commands that is."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.commands = machine, 0

    def type(self, block: str, *, fails: bool = False, folder: Path | str = composed.ROOT) -> str:
        """A whole block, as it is pasted; what ends with & goes on."""
        lines = block.replace("\\\n", " ").splitlines()
        self.commands += len([line for line in lines if line.strip()])
        script = block.replace("register.xlsx", f"/sample --school {SCHOOL}")
        file = self.machine.write("host", "/pasted.sh", script)
        return self.machine.run(f"bash {'' if fails else '-e'} {file}" + (" || true" * fails),
                                folder=folder)  # fmt: skip

    def start(self, name: str, line: str, folder: str = "/", **more: str) -> None:
        """One command that the page lets go on."""
        self.commands += 1
        words = ["sh", "-c", f"cd {folder} && exec {line}"]
        self.machine.start(name, self.machine.argv("host", words, more))


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    services.require("mosquitto")
    services.require("unzip")
    with composed.machine(tmp_path / "machine", NAMES, {"grafana": 472}) as machine:
        machine.run(f"ln -sf {INFLUXD} {INFLUX} /usr/local/bin/; mkdir /etc/grafana /data")
        machine.run("schoolpulse roster sample --out /sample")
        yield City(machine)


def test_the_page_leads_to_boards_with_data(city: City) -> None:
    began, machine = time.monotonic(), city.machine
    for heading in ("1. Set up", "2. The register", "3. Enrol"):
        city.type(fence(heading))
    data = "--bolt-path /data/bolt --engine-path /data/engine --sqlite-path /data/sqlite"
    city.start("influxd", f"influxd {data} --reporting-disabled")
    machine.until("influx ping")
    said = city.type(fence("InfluxDB 2.x"), fails=True)
    assert re.search(r"[✓] \S*(桶|buckets)", said), said
    started(city)
    pc(city)
    assert json.loads(machine.run("schoolpulse figure --json"))["areas"]
    city.type(fence("Grafana and nginx"))
    grafana(city)
    print(f"{city.commands} commands, {(time.monotonic() - began) / 60:.1f} min")


def started(city: City) -> None:
    """The commands of "Start" without systemd, all but those of Debian's influxdb."""
    lines = fence("4. Start", 1).splitlines()
    variables: dict[str, str] = {}
    for line in lines:
        if line.startswith("export "):
            name, value = line.removeprefix("export ").split("=")
            variables[name] = value
        elif line.endswith("&") and not line.startswith("influxd"):
            words = line.removesuffix("&").split()
            own = dict(word.split("=", 1) for word in words if word.startswith("SCHOOLPULSE_"))
            command = " ".join(word for word in words if not word.startswith("SCHOOLPULSE_"))
            city.start(command.split()[1] if "schoolpulse" in command else "mosquitto", command,
                       **variables, **own)  # fmt: skip
            if command.startswith("mosquitto"):
                city.machine.listens("10.95.0.1", 8883)
    city.machine.listens("10.95.0.1", 8095)


def pc(city: City) -> None:
    """A PC's commands, on the same machine in a folder of its own."""
    machine, said = city.machine, {"SCHOOLPULSE_DATA": "/pc/data"}
    machine.run(f"mkdir /pc && cp /var/lib/schoolpulse/bundles/schoolpulse-{SCHOOL}.zip /pc")
    lines = fence("5. On each PC", 3).replace("9963020002", SCHOOL).splitlines()
    machine.run(lines[0], folder="/pc")
    city.start("agent", lines[1].removesuffix("&"), "/pc", **said)
    machine.until("grep -q last_receipt /pc/data/status.json")
    machine.until("grep -q 'server' /pc/data/status.json")
    # Its machine id is weak by hand, so the command's exit code is 1.
    assert "✓ publishing" in machine.run(f"{lines[2]} || true", folder="/pc", **said)
    city.commands += 3


def grafana(city: City) -> None:
    """Grafana as its package starts it; boards, rules and data are there."""
    machine, password = city.machine, secrets.token_hex(8)
    paths = {"data": "/var/lib/grafana", "provisioning": "/etc/grafana/provisioning",
             "logs": "/tmp/grafana", "plugins": "/var/lib/grafana/plugins"}  # fmt: skip
    machine.run("mkdir -p /var/lib/grafana/plugins && chown -R 472:472 /var/lib/grafana")
    words = [f"{GRAFANA_HOME}/bin/grafana-server", "-homepath", GRAFANA_HOME,
             *(f"cfg:paths.{key}={value}" for key, value in paths.items())]  # fmt: skip
    more = {"GF_SECURITY_ADMIN_PASSWORD": password}
    machine.start("grafana", machine.argv("host", words, more, "472:472"))
    machine.until("wget -q --spider http://127.0.0.1:3000/api/health")
    until(lambda: machine.boards(password) >= 12, what="the boards")
    assert machine.reports_by_grafana(password) >= 1

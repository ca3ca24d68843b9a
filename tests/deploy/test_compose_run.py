"""deploy/compose.yaml from nothing to a school on a board, as the page's part on Docker says.

There is no Docker: tests/support/composed.py does what compose would. InfluxDB 2.x, its client and
Grafana are no Debian packages; where they are is given by SCHOOLPULSE_TEST_INFLUXD2 (influxd),
SCHOOLPULSE_TEST_INFLUX2 (influx) and SCHOOLPULSE_TEST_GRAFANA_HOME (its folder, with bin/).
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import composed
import services
from composed import GRAFANA_HOME, INFLUX, INFLUXD, PROGRAMS, USERS, Composed, Machine

PAGE = composed.ROOT / "docs/deploy/city.md"
SCHOOL, BROKER = "9963020002", "broker.city"
NAMES = {"10.96.0.1": f"{BROKER} mosquitto influxdb collector"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="mount namespaces need root"),
    pytest.mark.skipif(not INFLUXD or not INFLUX, reason="no InfluxDB 2.x and influx are given"),
]


#: `nc -z HOST PORT`.
_NC = f"""#!{sys.executable}
import socket, sys
socket.create_connection((sys.argv[2], int(sys.argv[3])), 3)
"""


def page() -> list[str]:
    """The commands that the page gives for Docker."""
    part = PAGE.read_text("utf-8").split("## Docker\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```bash\n(.*?)^```", part, re.DOTALL | re.MULTILINE)[0].splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Machine]:
    services.require("mosquitto")
    with composed.machine(tmp_path / "machine", NAMES) as made:
        yield made


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + services.PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.3)


class Town:
    """The containers, started as their images start them."""

    def __init__(self, host: Machine) -> None:
        self.host, self.compose = host, Composed(host)
        self.unready = 0

    def up(self) -> None:
        """`docker compose up`: each once what it needs is healthy."""
        for name in self.compose.order():
            for needed in self.compose.services[name].get("depends_on", {}):
                assert self.compose.healthy(needed), needed
            if name == "grafana" and not GRAFANA_HOME:
                continue
            self.compose.prepare(name, USERS)
            getattr(self, f"_{name}", lambda at=name: self._ours(at))()
            if "healthcheck" in self.compose.services[name]:
                until(lambda at=name: self.compose.healthy(at), f"{name} is healthy")

    def _mosquitto(self) -> None:
        """The entry point gives /mosquitto to its user; the plugin lies where the image has it."""
        found = services.program("mosquitto")
        plugin = next(Path("/usr/lib").glob(f"*/{composed._PLUGIN}"))
        self.host.run(f"cp {plugin} /usr/lib/; chown -R 1883:1883 /mosquitto || true", "mosquitto")
        if services.program("nc") is None:  # busybox has it in the image
            at = self.host.write("mosquitto", "/usr/local/bin/nc", _NC)
            self.host.run(f"chmod 755 {at}", "mosquitto")
        words = [str(found), "-c", "/mosquitto/config/mosquitto.conf"]
        self.host.start("mosquitto", self.host.argv("mosquitto", words, {}))

    def _influxdb(self) -> None:
        """The first start: set up and the mounted script, at another port; then as its user."""
        own = self.compose.environment("influxdb")
        configs = {"INFLUX_CONFIGS_PATH": "/etc/influxdb2/influx-configs"}
        programs = f"ln -sf {INFLUXD} {INFLUX} /usr/local/bin/"
        self.host.run(f"{programs}; mkdir -p /etc/influxdb2", "influxdb")
        self.host.start("influxdb-init", self._influxd(":9999", "0:0"))
        first = {**own, **configs, "INFLUX_HOST": "http://localhost:9999"}
        ping = ["influx", "ping"]
        until(lambda: not self.compose.exec("influxdb", ping, **first).returncode, "first start")
        self.host.run(
            'influx setup --force --username "$DOCKER_INFLUXDB_INIT_USERNAME"'
            ' --password "$(cat "$DOCKER_INFLUXDB_INIT_PASSWORD_FILE")"'
            ' --org "$DOCKER_INFLUXDB_INIT_ORG" --bucket "$DOCKER_INFLUXDB_INIT_BUCKET"'
            ' --token "$(cat "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE")" --name default',
            "influxdb", **first,
        )  # fmt: skip
        assert not self.compose.healthy("influxdb", **configs)  # it has no tokens yet
        self.host.run("run-parts --regex '.*sh$' --exit-on-error /docker-entrypoint-initdb.d",
                      "influxdb", "/", **first)  # fmt: skip
        self.host.stop("influxdb-init")
        self.host.run("chown -R 1000:1000 /etc/influxdb2 /var/lib/influxdb2", "influxdb")
        self.host.start("influxdb", self._influxd(":8086", "1000:1000"))

    def _influxd(self, address: str, user: str) -> list[str]:
        data = "/var/lib/influxdb2"
        words = ["influxd", "--bolt-path", f"{data}/influxd.bolt",
                 "--engine-path", f"{data}/engine", "--sqlite-path", f"{data}/influxd.sqlite",
                 "--http-bind-address", address, "--reporting-disabled"]  # fmt: skip
        return self.host.argv("influxdb", words, {}, user)

    def _grafana(self) -> None:
        """The entry point reads the settings that end with __FILE."""
        own = self.compose.environment("grafana")
        given = {key: value for key, value in own.items() if not key.endswith("__FILE")}
        for key in set(own) - set(given):
            secret = self.compose.exec("grafana", ["cat", own[key]]).stdout.strip()
            given[key.removesuffix("__FILE")] = secret
        data = "/var/lib/grafana"
        self.host.run(f"chown 472:0 {data}; mkdir -p {data}/plugins", "grafana")
        paths = {"data": data, "logs": "/tmp/grafana", "plugins": "/tmp/plugins",
                 "provisioning": "/etc/grafana/provisioning"}  # fmt: skip
        words = [f"{GRAFANA_HOME}/bin/grafana-server", "-homepath", GRAFANA_HOME,
                 "cfg:log.mode=console",
                 *(f"cfg:paths.{key}={value}" for key, value in paths.items())]  # fmt: skip
        self.host.start("grafana", self.host.argv("grafana", words, given, "472:0"))

    def _ours(self, name: str) -> None:
        one = self.compose.services[name]
        words = [str(PROGRAMS / "schoolpulse"), *map(str, one["command"])]
        own = self.compose.environment(name)
        self.host.start(name, self.host.argv(name, words, own, one["user"]))


def agent_joins(host: Machine) -> None:
    """The page's commands on a PC; its policy has come."""
    bundle = f"/var/lib/schoolpulse/bundles/schoolpulse-{SCHOOL}.zip"
    host.run(f"mkdir -p /pc && unzip -q -d /pc/agent {bundle}")
    words = ["sh", "-c", "cd /pc && exec schoolpulse-agent run --config agent/agent.toml"]
    host.start("agent", host.argv("host", words, {"SCHOOLPULSE_DATA": "/pc/data"}))
    until(lambda: status(host).get("last_receipt"), "a receipt")


def status(host: Machine) -> dict[str, object]:
    said = host.run("cat /pc/data/status.json 2>/dev/null || true")
    return dict(json.loads(said)) if said else {}


def test_the_page_s_commands_lead_to_a_city_that_runs(host: Machine) -> None:
    began = time.monotonic()
    host.run("schoolpulse roster sample --out /sample")
    town = None
    for line in page():
        if line.startswith("docker compose"):
            town = Town(host)
            town.up()
        else:
            host.run(line.replace("register.xlsx", f"/sample --school {SCHOOL}"))
    assert town is not None
    agent_joins(host)
    within(town)
    print(f"{len(page())} commands, {(time.monotonic() - began) / 60:.1f} min to the first receipt")
    credentials_move(host, town)
    if GRAFANA_HOME:
        boards_show(host)
    for key in ("mosquitto", "influxdb", "collector", "lineserver", "enrol"):
        assert not host.ended(key), key


def within(town: Town) -> None:
    """What reads the database, as `docker compose exec collector` runs it."""
    command = str(PROGRAMS / "schoolpulse")
    for words in (["figure", "--json"], ["status", "--json"]):
        done = town.compose.exec("collector", [command, *words])
        assert done.returncode == 0, done.stderr
    done = town.compose.exec("collector", [command, "--lang", "en", "doctor", "--json"])
    print(done.stdout)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    secret = "the collector's broker password"
    for name in ("data folder", "buckets", "store", "register", "broker", secret, "database token"):
        assert checks[name]["ok"], checks[name]


def credentials_move(host: Machine, town: Town) -> None:
    """`enrol rotate` on the machine; the container ends the former credential, not another."""
    host.run(f"schoolpulse enrol rotate {SCHOOL}")
    host.stop("agent")  # a PC has moved once it begins a boot with the new credential
    words = ["sh", "-c", "cd /pc && exec schoolpulse-agent run --config agent/agent.toml"]
    for _ in range(2):
        host.start("agent", host.argv("host", words, {"SCHOOLPULSE_DATA": "/pc/data"}))
        before = status(host).get("last_receipt")
        until(lambda at=before: status(host).get("last_receipt") != at, "another receipt")
        host.stop("agent")
    until(lambda: _ended(host, town), "the former credential")


def _ended(host: Machine, town: Town) -> bool:
    """Whether the service, which looks when it starts and then hourly, ends the former credential.

    What a PC says it holds is written down by the collector each second.
    """
    host.stop("enrol")
    log = host.log("enrol")
    before = len(log.read_text())
    town._ours("enrol")
    until(lambda: SCHOOL in log.read_text()[before:], "what the service waits for")
    assert "refused" not in log.read_text()
    return "旧凭据已结束" in log.read_text()


def boards_show(host: Machine) -> None:
    """Boards, and the collector's points through the data source."""
    password = host.run("cat deploy/secrets/grafana.password").strip()
    until(lambda: host.boards(password) >= 12, "the boards")
    assert host.reports_by_grafana(password) >= 1

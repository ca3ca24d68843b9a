"""deploy/compose.yaml against what the images' documents say, as far as a file can be held to it.

The Compose Specification's schema is not ours to keep: where a copy lies is given by
SCHOOLPULSE_TEST_COMPOSE_SCHEMA (schema/compose-spec.json of its repository).
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector import units
from collector.cli import COMMANDS
from collector.enrol import compose

DEPLOY = Path(__file__).parents[2] / "deploy"
#: Programs that each image has and a health check may use: busybox's, InfluxDB's client, Python's.
PROGRAMS = {"mosquitto": "nc", "influxdb": "influx", "grafana": "wget", "schoolpulse": "python"}
#: What the entry point of the image influxdb reads.
INIT = {
    f"DOCKER_INFLUXDB_INIT_{name}"
    for name in ("MODE", "USERNAME", "USERNAME_FILE", "PASSWORD", "PASSWORD_FILE", "ORG", "BUCKET",
                 "ADMIN_TOKEN", "ADMIN_TOKEN_FILE", "RETENTION", "CLI_CONFIG_NAME")
}  # fmt: skip
#: Settings of grafana.ini as its entry point takes them, by variable or by a file's name.
GRAFANA = {"GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_USERS_DEFAULT_LANGUAGE"}


@pytest.fixture(scope="module")
def file() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def test_it_fits_the_specification(file: Any) -> None:
    given = os.environ.get("SCHOOLPULSE_TEST_COMPOSE_SCHEMA", "")
    if not given:
        pytest.skip("no schema of the Compose Specification is given")
    schemas = pytest.importorskip("jsonschema")
    schema = json.loads(Path(given).read_text("utf-8"))
    kind = schemas.Draft7Validator  # as `$schema` says, by another spelling of its address
    assert [error.message for error in kind(schema).iter_errors(file)] == []
    broken = {**file, "services": {"x": {"image": "a", "depend_on": []}}}
    assert list(kind(schema).iter_errors(broken))


def test_health_checks_use_programs_of_the_images(file: Any) -> None:
    for name, service in file["services"].items():
        if "healthcheck" in service:
            program = service["healthcheck"]["test"][1]
            assert program == PROGRAMS["schoolpulse" if "user" in service else name]


def test_influxdb_is_asked_where_it_listens_once_it_is_set_up(file: Any) -> None:
    """Not where the client's configuration says: during the first start that is another port."""
    check = file["services"]["influxdb"]["healthcheck"]["test"]
    assert check[-2:] == ["--host", "http://127.0.0.1:8086"]


def test_variables_are_those_that_the_images_read(file: Any) -> None:
    services = file["services"]
    assert set(services["influxdb"]["environment"]) <= INIT
    own = {name for name in services["grafana"]["environment"] if name.startswith("GF_")}
    assert own <= GRAFANA


def test_what_ends_former_credentials_runs_as_its_unit_does(file: Any) -> None:
    service = file["services"]["enrol"]
    assert service["profiles"] == [compose.PROFILE]
    command = service["command"]
    assert command[0] in COMMANDS
    started = re.search(r"^ExecStart=\S+ (.*)$", units.text("enrol"), re.MULTILINE)
    assert started is not None
    assert " ".join(command) == started[1]
    account = "SCHOOLPULSE_MQTT_USERNAME"
    assert f"Environment={account}={service['environment'][account]}\n" in units.text("enrol")


def test_only_its_service_gets_the_administrators_password(file: Any) -> None:
    having = [name for name, one in file["services"].items()
              if "admin_password" in one.get("secrets", ())]  # fmt: skip
    assert having == ["enrol"]

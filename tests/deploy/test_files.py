"""Compose, Grafana provisioning and systemd units: they parse, and what they name exists."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.cli import COMMANDS as AGENT
from collector.cli import COMMANDS as CITY
from dashboards import build
from dashboards.edition import Edition

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def _unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


def test_compose_mounts_what_stands_in_the_tree_and_names_its_secrets() -> None:
    compose = _yaml(DEPLOY / "compose.yaml")
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith(".") and "secrets" not in source:
                assert (DEPLOY / source).exists(), f"{name}: {source}"
            elif not source.startswith("."):
                assert source in compose["volumes"]
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN", key):
                assert key.endswith("_FILE")
                mounts = [volume.split(":")[1] for volume in service.get("volumes", ())]
                secret = value.removeprefix("/run/secrets/")
                assert secret in service["secrets"] or str(Path(value).parent) in mounts


def test_compose_runs_commands_that_exist() -> None:
    for service in _yaml(DEPLOY / "compose.yaml")["services"].values():
        if service.get("image") == "schoolpulse":
            assert service["command"][0] in CITY


def test_settings_by_environment_are_read_by_the_software() -> None:
    from agent.common import settings
    from agent.config import Config as Agent
    from collector.config import Config as City

    known = {
        settings.PREFIX + "_".join(keys).upper()
        for kind in (Agent, City)
        for keys, _ in settings._leaves(kind, ())
    }
    text = "\n".join(path.read_text("utf-8") for path in (*UNITS, DEPLOY / "compose.yaml"))
    named = {name.removesuffix("_FILE") for name in re.findall(r"\bSCHOOLPULSE_[A-Z_]+", text)}
    assert named - {"SCHOOLPULSE_INFLUXDB_URL"} <= known


def test_grafana_data_sources_fit_the_variables_of_the_boards() -> None:
    sources = _yaml(DEPLOY / "grafana/provisioning/datasources/schoolpulse.yaml")["datasources"]
    board = build.BOARDS["overview"](Edition("zh"))
    for variable in board["templating"]["list"]:
        if variable["type"] == "datasource":
            pattern = re.compile(variable["regex"].strip("/i"), re.IGNORECASE)
            fitting = [source for source in sources if pattern.search(source["name"])]
            assert len(fitting) == 1
            assert fitting[0]["type"] == variable["query"]
            assert fitting[0]["jsonData"]["dbName"] == variable["name"]


def test_grafana_provider_paths_are_mounted_by_compose() -> None:
    providers = _yaml(DEPLOY / "grafana/provisioning/dashboards/schoolpulse.yaml")["providers"]
    mounted = {
        volume.split(":")[1]
        for volume in _yaml(DEPLOY / "compose.yaml")["services"]["grafana"]["volumes"]
    }
    assert {provider["options"]["path"] for provider in providers} <= mounted


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_is_hardened_and_starts_what_exists(path: Path) -> None:
    unit = _unit(path)
    service = unit["Service"]
    program, command = re.match(r"/opt/schoolpulse/bin/(\S+) (\S+)", service["ExecStart"]).groups()  # type: ignore[union-attr]
    assert command in {"schoolpulse-agent": AGENT, "schoolpulse": CITY}[program]
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "RestrictNamespaces"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""


def test_agent_unit_leaves_the_hardware_facts_as_root() -> None:
    service = _unit(DEPLOY / "systemd/schoolpulse-agent.service")["Service"]
    assert service["ExecStartPre"].startswith("+")
    assert service["ExecStartPre"].endswith("python -m agent.identity")
    assert service["RuntimeDirectory"] == "schoolpulse"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_itself_accepts_the_unit(path: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is missing")
    # The programs of a real installation are not here: any executable stands in for them.
    text = re.sub(r"/opt/schoolpulse/bin/\S+", shutil.which("true") or "", path.read_text("utf-8"))
    copy = tmp_path / path.name
    copy.write_text(text, "utf-8")
    ran = subprocess.run(
        [analyze, "verify", str(copy)], capture_output=True, text=True, timeout=240
    )
    ours = [line for line in ran.stderr.splitlines() if path.name in line]
    assert ours == []

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
from agent.common import secret_files, settings
from agent.common.systemd_unit import quoted
from agent.config import Config as AgentConfig
from agent.service import unit as agent_unit
from collector import secret_files as city_secrets
from collector import units
from collector.cli import COMMANDS as CITY
from collector.config import Config as CityConfig
from collector.enrol import drop_ins
from collector.enrol.place import Place
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


def compose() -> Any:
    """compose.yaml without an .env, so with the values that stand behind `:-`."""
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def test_compose_mounts_what_stands_in_the_tree_and_names_its_secrets() -> None:
    whole = compose()
    for name, service in whole["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith(".") and "secrets" not in source:
                assert (DEPLOY / source).exists(), f"{name}: {source}"
            elif not source.startswith("."):
                assert source in whole["volumes"]
        assert set(service.get("secrets", ())) <= set(whole["secrets"])
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN", key) and value:  # empty: it needs none
                assert key.endswith("_FILE")
                mounts = [volume.split(":")[1] for volume in service.get("volumes", ())]
                secret = value.removeprefix("/run/secrets/")
                assert secret in service["secrets"] or str(Path(value).parent) in mounts


def test_compose_starts_each_service_once_what_it_needs_is_healthy() -> None:
    services = compose()["services"]
    for name, service in services.items():
        if name == "enrol":  # serves nobody: `restart` is all there is to watch
            assert service["restart"] == "unless-stopped"
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services[needed]
    assert set(services["collector"]["depends_on"]) == {"mosquitto", "influxdb"}


def test_compose_pins_the_images_of_others() -> None:
    for name, service in compose()["services"].items():
        if service["image"] != "schoolpulse":
            assert re.search(r":\d+\.\d+\.\d+$", service["image"]), name


def test_compose_s_health_checks_ask_ports_that_are_served() -> None:
    services = compose()["services"]
    assert "9464/metrics" in str(services["collector"]["healthcheck"])
    assert services["collector"]["environment"]["SCHOOLPULSE_METRICS"].endswith(":9464")
    for name in ("mosquitto", "lineserver", "grafana"):
        port = services[name]["ports"][0].split(":")[1]
        assert port in str(services[name]["healthcheck"]["test"]), name


def test_compose_runs_commands_that_exist() -> None:
    for service in compose()["services"].values():
        if service.get("image") == "schoolpulse":
            assert service["command"][0] in CITY


def test_settings_by_environment_are_read_by_the_software() -> None:
    known = {
        settings.PREFIX + "_".join(keys).upper()
        for kind in (AgentConfig, CityConfig)
        for keys, _ in settings._leaves(kind, ())
    }
    text = "\n".join(path.read_text("utf-8") for path in (*UNITS, DEPLOY / "compose.yaml"))
    named = set(re.findall(r"\bSCHOOLPULSE_[A-Z_]+", text)) - {"SCHOOLPULSE_INFLUXDB_URL"}
    named -= set(re.findall(r"\$\{(SCHOOLPULSE_[A-Z_]+):-", text))  # of compose's own .env
    assert {name for name in named if not {name, name.removesuffix("_FILE")} & known} == set()


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
    mounted = {volume.split(":")[1] for volume in compose()["services"]["grafana"]["volumes"]}
    assert {provider["options"]["path"] for provider in providers} <= mounted


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_is_hardened_and_starts_what_exists(path: Path) -> None:
    unit = _unit(path)
    service = unit["Service"]
    known = {"python -m agent.cli": AGENT, "schoolpulse": CITY}
    program, command = re.match(
        r"/opt/schoolpulse/bin/(python -m [\w.]+|\S+) (\S+)", service["ExecStart"]
    ).groups()  # type: ignore[union-attr]
    assert command in known[program]
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "RestrictNamespaces"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""


def test_units_are_what_the_code_writes() -> None:
    """Refreshed by `make docs`."""
    made = {f"schoolpulse-{name}.service": units.text(name) for name in units.UNITS}
    made["schoolpulse-agent.service"] = agent_unit.sample()
    assert {path.name: path.read_text("utf-8") for path in UNITS} == made


def test_each_secret_reaches_the_services_that_may_read_it_and_no_others() -> None:
    rows = (*secret_files.AGENT, *city_secrets.CITY)
    for path in UNITS:
        name = path.stem.removeprefix("schoolpulse-")
        text = path.read_text("utf-8")
        copies = dict(re.findall(r"^LoadCredential=([^:]+):/etc/schoolpulse/(.+)$", text, re.M))
        mine = [row for row in rows if name in row.units]
        plain = set(secret_files.PLAIN) if name == "agent" else set()
        assert copies == {row.credential: row.file for row in mine} | {one: one for one in plain}
        for row in mine:
            assert f"Environment={row.variable}=%d/{row.credential}\n" in text


def test_every_secret_of_the_list_is_a_setting_and_every_secret_setting_is_listed() -> None:
    agent = (*secret_files.AGENT, *secret_files.LOCAL)
    for kind, rows in ((AgentConfig, agent), (CityConfig, city_secrets.CITY)):
        found = {".".join(keys) for keys, _ in settings._leaves(kind, ())}
        assert {name for name in found if name.endswith("_file")} == {row.setting for row in rows}
        for secret in ("password", "token"):
            bare = {name for name in found if name.rpartition(".")[2] == secret}
            assert {f"{name}_file" for name in bare} <= found


def test_a_secret_that_is_not_there_is_not_asked_for() -> None:
    assert "store.token" not in units.text("collector", lacking={"store.token"})
    assert "mqtt.password" in units.text("collector", lacking={"store.token"})


def test_words_of_a_command_line_stay_words() -> None:
    assert quoted(["/opt/a b/python", "-m", "50%", "$HOME", 'say "x"']) == (
        '"/opt/a b/python" -m 50%% $$HOME "say \\"x\\""'
    )


def test_agent_unit_leaves_the_hardware_facts_as_root() -> None:
    service = _unit(DEPLOY / "systemd/schoolpulse-agent.service")["Service"]
    assert service["ExecStartPre"].startswith("+")
    assert service["ExecStartPre"].endswith("python -m agent.identity")
    assert service["RuntimeDirectory"] == "schoolpulse"


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is missing")
    return found


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_itself_accepts_the_unit(analyze: str, path: Path, tmp_path: Path) -> None:
    # The programs of a real installation are not here: any executable stands in for them.
    text = re.sub(r"/opt/schoolpulse/bin/\S+", shutil.which("true") or "", path.read_text("utf-8"))
    copy = tmp_path / path.name
    copy.write_text(text, "utf-8")
    ran = _run(analyze, "verify", str(copy))
    ours = [line for line in ran.stderr.splitlines() if path.name in line]
    assert ours == []


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_little_that_the_unit_could_do(analyze: str, path: Path) -> None:
    ran = _run(analyze, "security", "--offline=true", "--no-pager", "--threshold=20", str(path))
    said = re.search(r"Overall exposure level for \S+: ([\d.]+)", ran.stdout + ran.stderr)
    assert said, ran.stderr
    print(path.name, said[1])
    assert float(said[1]) <= 2.0
    assert ran.returncode == 0


def test_systemd_finds_little_that_the_broker_could_do(analyze: str, tmp_path: Path) -> None:
    """Debian's unit with what `setup` puts beside it: 9.6 without."""
    debians = Path("/lib/systemd/system/mosquitto.service")
    if not debians.exists():
        pytest.skip("no mosquitto.service of Debian's")
    place = Place(Path("/etc/schoolpulse"), Path("/d"), Path("/k"), Path("/c"))
    drop_in = drop_ins.mosquitto(place)
    unit = tmp_path / "mosquitto.service"
    unit.write_text(f"{debians.read_text('utf-8')}\n{drop_in}", "utf-8")
    ran = _run(analyze, "security", "--offline=true", "--no-pager", "--threshold=20", str(unit))
    assert ran.returncode == 0, ran.stdout[-300:] + ran.stderr
    wrong = [line for line in _run(analyze, "verify", str(unit)).stderr.splitlines()
             if unit.name in line and "etc/schoolpulse" not in line]  # fmt: skip
    assert wrong == []

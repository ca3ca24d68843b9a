"""Who may do what in the store, and what an image's layers may hold."""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from influx_server import bare_influx
from services import PATIENCE_S

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CLI = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$INFLUX_TOKEN $1" in
"operator "*) ;;
"token-of-"*" bucket") [ ! -e "$CALLS.anew" ] || exit 9 ;;
*) exit 9 ;;
esac
case "$1 $2" in
"bucket create") touch "$CALLS.telemetry" ;;
"bucket list") [ "$4" = evidence ] || [ -e "$CALLS.telemetry" ] || exit 1
  printf 'id-%s\\t%s\\n' "$4" "$4" ;;
"auth create") printf '07\\t%s\\ttoken-of-%s\\tuser\\n' "$4" "$4" ;;
esac
"""


def _set_up(folder: Path) -> list[str]:
    """Run buckets.sh with a CLI that notes its arguments; what it noted."""
    tool = folder / "influx"
    tool.write_text(CLI)
    tool.chmod(0o755)
    (folder / "operator").write_text("operator\n")
    for name in ("grafana", "collector"):
        (folder / "tokens" / name).mkdir(parents=True, exist_ok=True)
    environ = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(folder / "calls"),
        "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE": str(folder / "operator"),
        "DOCKER_INFLUXDB_INIT_ORG": "schoolpulse", "SCHOOLPULSE_TOKENS": str(folder / "tokens"),
    }  # fmt: skip
    subprocess.run(["sh", str(DEPLOY / "influxdb/buckets.sh")], env=environ, check=True, timeout=60)
    return (folder / "calls").read_text().splitlines()


def test_tokens_hold_no_more_than_their_buckets(tmp_path: Path) -> None:
    calls = _set_up(tmp_path)
    made = {line.split()[3]: line.split()[5:] for line in calls if line.startswith("auth create")}
    both = ["--read-bucket", "id-evidence", "--read-bucket", "id-telemetry"]
    assert made["schoolpulse-grafana"] == both
    write = ["--write-bucket", "id-evidence", "--write-bucket", "id-telemetry"]
    assert made["schoolpulse-collector"] == both + write
    assert "operator" not in " ".join(calls)
    for name in ("grafana", "collector"):
        assert (
            tmp_path / "tokens" / name / "token"
        ).read_text() == f"token-of-schoolpulse-{name}\n"


def test_setting_up_again_changes_nothing(tmp_path: Path) -> None:
    first = _set_up(tmp_path)
    again = _set_up(tmp_path)[len(first) :]
    assert [line for line in again if "create" in line] == []


def test_tokens_of_a_database_that_is_gone_are_drawn_again(tmp_path: Path) -> None:
    """The volumes of tokens outlive it; a first start that was cut off deletes it too."""
    first = _set_up(tmp_path)
    (tmp_path / "calls.anew").touch()
    again = _set_up(tmp_path)[len(first) :]
    assert len([line for line in again if line.startswith("auth create")]) == 2


def test_only_influxdb_gets_the_administrators_token() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    having = [name for name, one in services.items() if "influxdb_token" in one.get("secrets", ())]
    assert having == ["influxdb"]
    mounts = {
        name: [volume for volume in one.get("volumes", ()) if "-token:" in volume]
        for name, one in services.items()
    }
    assert mounts["grafana"] == ["grafana-token:/run/tokens:ro"]
    assert mounts["collector"] == ["collector-token:/run/tokens:ro"]
    sources = (DEPLOY / "grafana/provisioning/datasources/schoolpulse.yaml").read_text("utf-8")
    assert sources.count("$__file{/run/tokens/token}") == 2
    assert "secrets/influxdb_token" not in sources


def _basic(user: str) -> str:
    return f"Basic {base64.b64encode(user.encode()).decode()}"


class Server:
    """An InfluxDB 1.x that wants accounts, made by our statements."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, user: str = "", database: str = "", *, get: bool = False) -> Any:
        """The reply to a statement; its HTTP status where that is an error."""
        form = urllib.parse.urlencode({"q": query, "db": database})
        request = urllib.request.Request(
            f"{self.url}/query?{form}" if get else f"{self.url}/query",
            None if get else form.encode(),
            {"Authorization": _basic(user)} if user else {},
        )
        return self._answer(request)

    def write(self, line: str, user: str, database: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/write?db={database}", line.encode(), {"Authorization": _basic(user)}
        )
        return self._answer(request)

    @staticmethod
    def _answer(request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                text = reply.read()
                return json.loads(text) if text else reply.status
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture(scope="module")
def server(tmp_path_factory: Any) -> Iterator[Server]:
    with bare_influx(tmp_path_factory.mktemp("influx"), accounts=True) as url:
        made = Server(url)
        made.ask("CREATE USER admin WITH PASSWORD 'first' WITH ALL PRIVILEGES")
        for line in (DEPLOY / "influxdb/accounts.influxql").read_text("utf-8").splitlines():
            if not line.startswith("--"):
                reply = made.ask(line.replace("_PASSWORD'", "'"), "admin:first")
                assert "error" not in str(reply), (line, reply)
        assert made.write("school_day,school=1 x=1", "collector:COLLECTOR", "evidence") == 204
        yield made


READER = "grafana:GRAFANA"
_ROWS = "SELECT * FROM school_day"


@pytest.mark.influxdb
def test_the_reader_reads(server: Server) -> None:
    reply = server.ask(_ROWS, READER, "evidence")
    assert reply["results"][0]["series"][0]["name"] == "school_day"


@pytest.mark.influxdb
@pytest.mark.parametrize("get", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "DROP MEASUREMENT school_day", "DELETE FROM school_day", "DROP SERIES FROM school_day",
        "DROP DATABASE evidence", 'SELECT * INTO evidence."autogen".stolen FROM school_day',
        "CREATE USER mine WITH PASSWORD 'x' WITH ALL PRIVILEGES",
        "GRANT ALL ON evidence TO grafana",
        "SET PASSWORD FOR admin = 'x'", "DROP RETENTION POLICY autogen ON evidence",
        "SELECT * FROM school_day; DROP MEASUREMENT school_day",
    ],
)  # fmt: skip
def test_the_reader_changes_nothing(server: Server, statement: str, get: bool) -> None:
    reply = server.ask(statement, READER, "evidence", get=get)
    assert reply in (401, 403) or "error" in str(reply), reply
    left = server.ask(_ROWS, "collector:COLLECTOR", "evidence")
    assert left["results"][0]["series"][0]["values"]
    assert "stolen" not in str(server.ask("SHOW MEASUREMENTS", "collector:COLLECTOR", "evidence"))


@pytest.mark.influxdb
def test_the_reader_writes_nothing(server: Server) -> None:
    for database in ("evidence", "telemetry"):
        assert server.write("school_day,school=1 x=2", READER, database) == 403
    assert server.ask(_ROWS, "", "evidence") == 401


@pytest.mark.influxdb
def test_the_collector_is_no_administrator(server: Server) -> None:
    reply = server.ask("CREATE USER mine WITH PASSWORD 'x'", "collector:COLLECTOR")
    assert reply in (401, 403) or "error" in str(reply)


def _left_out(name: str) -> bool:
    """Whether .dockerignore leaves a path of the tree out, itself or by a folder above it."""
    rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]  # fmt: skip
    assert not [rule for rule in rules if rule.startswith("!")]
    parts = name.split("/")
    above = ["/".join(parts[: at + 1]) for at in range(len(parts))]
    return any(_fits(path, rule) for path in above for rule in rules)


def _fits(path: str, rule: str) -> bool:
    if rule.startswith("**/"):
        return fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], rule[3:])
    return path.count("/") == rule.count("/") and fnmatch.fnmatchcase(path, rule)


@pytest.mark.parametrize(
    "name",
    [
        "deploy/secrets/ca.pem", "deploy/secrets/influxdb.token", "deploy/secrets/passwords",
        "deploy/secrets/line-keys/9963020001.key", "deploy/secrets/anything/at-all", ".git/config",
        ".venv/bin/python", "var/register.db", "data/schoolpulse.db-wal", "server.key",
        "a/b/broker.password", ".env", "deploy/.env.local", "keys/9963020001.key",
    ],
)  # fmt: skip
def test_no_layer_of_the_image_gets(name: str) -> None:
    assert _left_out(name)


def test_every_secret_of_compose_is_left_out() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    files = [
        f"deploy/{secret['file'].removeprefix('./')}" for secret in compose["secrets"].values()
    ]
    assert files
    assert [file for file in files if not _left_out(file)] == []


def test_what_the_image_needs_is_not_left_out() -> None:
    needed = ["pyproject.toml", "constraints.txt", "README.md", "LICENSE", "agent/version.py"]
    needed += [str(path.relative_to(ROOT)) for path in (ROOT / "collector").rglob("*")
               if path.is_file() and "__pycache__" not in path.parts]  # fmt: skip
    assert [name for name in needed if _left_out(name)] == []

"""The commands that need no running agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest

from agent import identity
from agent.cli import COMMANDS
from agent.clock import Clock
from agent.common.checks import Check
from agent.common.command_line import main
from agent.common.settings import SettingsError
from agent.common.vocabulary.states import NICS
from agent.config import Config
from agent.doctor import account
from agent.identity import Identity
from agent.outbox import Outbox
from agent.wire import AgentHealth, Report, decode_message
from agent.wire.messages import Nic

SCHEMA = Path(__file__).parents[3] / "docs/wire/message.schema.json"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("SCHOOLPULSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SCHOOLPULSE_DATA", str(tmp_path / "data"))


def agent(*words: str) -> int:
    return main("schoolpulse-agent", COMMANDS, words)


def test_once_is_one_report_of_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert agent("once", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(json.loads(line))
    report = decode_message(line.encode())
    assert isinstance(report, Report)
    assert not report.simulated
    assert sum(isinstance(one, AgentHealth) for one in report.readings) == 1


def test_once_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert agent("once") == 0
    assert "机器号" in capsys.readouterr().out
    assert agent("--lang", "en", "once") == 0
    assert "machine id" in capsys.readouterr().out


def test_once_has_words_for_kinds_of_interfaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert agent("once") == 0
    assert "loopback" not in capsys.readouterr().out
    assert set(NICS) == set(get_args(get_type_hints(Nic)["kind"]))


def test_an_unknown_probe_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('school = "9900000001"\n[probes]\nenabled = ["hst"]\n')
    assert agent("once", "--config", str(file)) == 2
    assert "host" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["outbox", "status"])
def test_where_no_agent_has_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert agent(command) == 2
    assert "没有" in capsys.readouterr().err


def test_outbox_tells_what_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outbox = Outbox(tmp_path / "data/outbox.db", "ab" * 16, Clock())
    outbox.put((AgentHealth(version="1"),))
    outbox.put((AgentHealth(version="1"),), evidence=True)
    assert agent("outbox", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["waiting"], told["unsent"], told["evidence"], told["sent"]) == (2, 2, 1, 0)
    assert told["bytes"] == outbox.counts().bytes
    assert told["oldest"]
    assert agent("outbox") == 0
    assert "待确认" in capsys.readouterr().out


def test_run_is_refused_without_a_school(capsys: pytest.CaptureFixture[str]) -> None:
    assert agent("run") == 2
    assert "SCHOOLPULSE_SCHOOL" in capsys.readouterr().err


def checks(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = agent("--lang", "en", "doctor", "--json", *words)
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is (code == 0)
    return code, {check["name"]: check for check in told["checks"]}


def test_doctor_names_the_fix_of_each_fault(
    tmp_path: Path, services: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        f'school = "99"\nrom = "x"\n[broker]\nport = {services.free_port()}\n'
        f'[line]\nserver = "127.0.0.1:{services.free_port()}"\n[probes]\nenabled = ["hst"]\n'
    )
    (tmp_path / "data").write_text("a file where a folder should be")
    code, found = checks(capsys, "--config", str(file))
    assert code == 1
    failed = {name for name, check in found.items() if check["ok"] is False} - {"machine id"}
    assert failed == {
        "config",
        "school code",
        "data folder",
        "broker reachable",
        "measurement server reachable",
        "probe hst",
    }
    assert all(found[name]["fix"] for name in failed - {"config"})
    assert "room" in found["config"]["detail"]


def test_doctor_talks_to_the_broker(
    services: Any, tmp_path: Path, broker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        f'school = "9900000001"\n[broker]\nport = {broker.port}\n'
        f'[line]\nserver = "http://127.0.0.1:{broker.port}"\n'
    )
    _, found = checks(capsys, "--config", str(file))
    good = ("config", "school code", "data folder", "broker reachable", "login", "subscription")
    assert [found[name]["ok"] for name in good] == [True] * len(good)
    assert found["measurement server reachable"]["ok"] is True
    assert found["school's policy"]["ok"] is None  # nobody collects here: cannot be told
    assert found["clock offset"]["ok"] is None


def test_doctor_needs_no_data_folder_once_it_asks_as_the_service(
    broker: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd keeps it where the account enters inside its unit alone: /var/lib/private."""

    def take(*_: object) -> Check:
        monkeypatch.setattr(Config, "folder", property(forbidden))
        return Check("account", True, "the service's")

    def forbidden(_: Config) -> Path:
        raise SettingsError("the account cannot enter it")

    monkeypatch.setattr(account, "take", take)
    file = tmp_path / "agent.toml"
    file.write_text(f'school = "9900000001"\n[broker]\nport = {broker.port}\n')
    _, found = checks(capsys, "--config", str(file))
    assert found["publishing"]["ok"] is not False
    assert "probe network" in found


def test_a_weak_id_is_no_fault_of_a_unit_that_has_read_the_firmware(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = Identity("0" * 32, weak=True, sources=("machine-id",))
    monkeypatch.setattr(identity, "identify", lambda: weak)
    for read, wanted in ((True, "docs/deploy/image.md"), (False, "deploy/systemd")):
        facts = tmp_path / f"hardware{read}.json"
        facts.write_text("{}") if read else None
        monkeypatch.setattr(identity, "HARDWARE_FILE", str(facts))
        _, found = checks(capsys)
        assert wanted in found["machine id"]["fix"]


def test_doctor_tells_a_wrong_password(
    services: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], until: Callable[..., None]
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    more = "password_file /dev/null"
    with services.broker("mosquitto", folder, more) as running:
        file = tmp_path / "agent.toml"
        file.write_text(
            f'school = "9900000001"\n[broker]\nport = {running.port}\n'
            'username = "9900000001"\npassword = "wrong"\n'
        )
        code, found = checks(capsys, "--config", str(file))
    assert code == 1
    assert found["login"]["ok"] is False
    assert "password" in found["login"]["fix"]
    assert "subscription" not in found

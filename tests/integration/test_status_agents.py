"""`schoolpulse status` and `doctor` on what running PCs do: each state is caused by an agent.

Broker, collector, measurement server and agents are processes; nothing is written into the store
by the test. Each PC has a hardware tree of its own, and what is wrong with it is really wrong.
"""

from __future__ import annotations

import json
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import services
from agent.identity import identify
from agent.version import VERSION
from collector.roster.book import RegisterBook
from collector.roster.register import Campus, Line, Register, School
from collector.roster.rows import rows_of

WELL, OLD, CLOCK, KEYLESS, RETIRED, REFUSED, NEVER = (f"99000001{n:02}" for n in range(7))
SCHOOLS = (WELL, OLD, CLOCK, KEYLESS, RETIRED, REFUSED, NEVER)
#: argv: hardware tree, version, settings file.
_RESIDENT = """
import functools, sys
from pathlib import Path
from agent import identity, version
version.VERSION = sys.argv[2]
from agent.mqtt import hello
from agent.resident import process
hello.PATIENCE = 1.0
identity.identify = functools.partial(identity.identify, Path(sys.argv[1]))
sys.exit(process.run(sys.argv[3]))
"""
Start = Callable[..., None]
Findings = dict[str, dict[str, Any]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mosquitto,
    pytest.mark.parametrize("broker", ["mosquitto"], indirect=True),
]


def hardware(folder: Path, school: str) -> Path:
    """The tree of the school's one PC."""
    for name, value in {
        "sys/class/dmi/id/product_uuid": str(uuid.UUID(int=2**100 + int(school))),
        "sys/block/sda/device/wwid": f"t10.ATA     WDC WD5000 WD-WCC{school}",
        "etc/machine-id": secrets.token_hex(16),
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    return folder


class Town:
    """A school for each state; one PC in each but the last."""

    def __init__(self, process: Any, opened: ExitStack) -> None:
        self.process, self._opened = process, opened
        self.folder: Path = process.folder
        self._keys = self.folder / "keys"
        self._keys.mkdir()
        port = services.free_port()
        process.tables = f'[lines]\nserver = "http://127.0.0.1:{port}"\nkeys = "{self._keys}"\n'
        schools = {
            code: School(code, f"示例{code}", "630102", "小学", "630102") for code in SCHOOLS
        }
        register = Register(
            schools,
            campuses=[Campus(code, "本部") for code in SCHOOLS],
            lines=[Line(code, "主线", "本部", 100) for code in SCHOOLS],
        )
        RegisterBook(process.config.folder / "register.db").import_rows(
            rows_of(register), who="test"
        )
        process.start()
        process.up()
        self._run("lineserver", process.argv("lineserver", "--port", str(port)),
                  SCHOOLPULSE_DATA=str(self.folder / "lineserver"))  # fmt: skip
        services.wait_port(port)

    def _run(self, name: str, argv: list[str], *before: str, **more: str) -> None:
        words = ["env", *(f"{key}={value}" for key, value in more.items()), *before, *argv]
        self._opened.enter_context(services.started(words, self.folder / f"{name}.log"))

    def key(self, school: str) -> str:
        """A new key for line tests, which the measurement server knows."""
        drawn = secrets.token_hex(32)
        (self._keys / f"{school}.key").write_text(drawn)
        return drawn

    def machine(self, school: str) -> str:
        return identify(self.folder / f"tree{school}").machine

    def pc(self, school: str, key: str, *before: str, version: str = VERSION) -> None:
        """Start the school's agent, which tests its line at once."""
        tree = hardware(self.folder / f"tree{school}", school)
        (self.folder / f"{school}.key").write_text(key)
        (self.folder / f"{school}.key").chmod(0o600)
        settings = self.folder / f"{school}.toml"
        settings.write_text(
            f'school = "{school}"\ndata = "{self.folder}/data{school}"\nreport_s = 5\n'
            f'[probes]\nenabled = ["host"]\n[broker]\nport = {self.process.port}\n'
            f'[line]\nat_start = true\nkey_file = "{self.folder}/{school}.key"\n'
        )
        argv = [sys.executable, "-c", _RESIDENT, str(tree), version, str(settings)]
        self._run(f"agent{school}", argv, *before)

    def status(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By school, its findings by their code; `reporting` where there are none."""
        done = self.process.run("status", "--json")
        assert done.returncode == 0, done.stderr
        return {
            row["school"]: {one["code"]: one for one in row["findings"]} or {row["state"]: {}}
            for row in json.loads(done.stdout)["schools"]
        }

    def doctor(self) -> dict[str, dict[str, Any]]:
        done = self.process.run("--lang", "en", "doctor", "--json")
        return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.fixture
def town(process: Any) -> Iterator[Town]:
    with ExitStack() as opened:
        yield Town(process, opened)


def test_each_state_is_told_of_the_school_whose_pc_causes_it(town: Town, kit: Any) -> None:
    services.require("faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    town.pc(WELL, town.key(WELL))
    town.pc(OLD, town.key(OLD), version="0.0.9")
    ahead = ["env", f"LD_PRELOAD={library}", "FAKETIME=+2h", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    town.pc(CLOCK, town.key(CLOCK), *ahead)
    town.pc(KEYLESS, secrets.token_hex(32))
    town.pc(RETIRED, town.key(RETIRED))
    town.key(NEVER)
    town.key(REFUSED)
    town.pc(REFUSED, secrets.token_hex(32))  # another than the server has
    words = ("machines", "retire", "--school", RETIRED, "--machine", town.machine(RETIRED))
    assert town.process.run(*words).returncode == 0
    wanted = {
        WELL: {"reporting"}, OLD: {"old_version"}, CLOCK: {"clock_off"},
        KEYLESS: {"key_missing", "tests_refused"}, RETIRED: {"retired_reports"},
        REFUSED: {"tests_refused"}, NEVER: {"never_seen"},
    }  # fmt: skip
    found: dict[str, dict[str, dict[str, Any]]] = {}

    def told() -> bool:
        found.update(town.status())
        return {code: set(one) for code, one in found.items()} == wanted

    try:
        kit.until(told, 240, "every state")
    finally:
        print(json.dumps(found, indent=1))
    assert found[OLD]["old_version"]["reasons"] == [VERSION]
    for school in (KEYLESS, REFUSED):  # the server tells a stranger no more
        assert found[school]["tests_refused"]["reasons"] == ["key_refused"]
    for school, code in ((CLOCK, "clock_off"), (RETIRED, "retired_reports")):
        assert found[school][code]["machines"] == [town.machine(school)]
    doctor_tells(town)
    said = town.process.run("status", "--problems")
    assert said.returncode == 1
    assert WELL not in said.stdout


def doctor_tells(town: Town) -> None:
    """The same, a line each, with the school and the fix."""
    checks = town.doctor()
    for name, school, ok in (
        ("old version", OLD, None), ("clock off", CLOCK, False),
        ("line key missing", KEYLESS, False), ("retired PCs report", RETIRED, False),
        ("tests refused", REFUSED, False), ("never seen", NEVER, None),
    ):  # fmt: skip
        check = checks[name]
        assert school in check["detail"], check
        assert check["ok"] is ok
        assert check["fix"]
    assert town.machine(CLOCK) in checks["PC clocks"]["detail"]

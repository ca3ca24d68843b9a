"""The demo's parts: processes watched and stopped, a folder emptied only if it is a demo's."""

from __future__ import annotations

import io
import sys
import tomllib
from pathlib import Path

import psutil
import pytest
from rich.cells import cell_len
from rich.console import Console

from agent import config as agent_config
from agent.common.language import Lang, choose
from collector import config as city_config
from collector.demo import broker, machine, school
from collector.demo.children import ChildDiedError, Children, DemoError, LateError
from collector.demo.interrupt import Interrupt
from collector.demo.place import Ports, fresh, write_settings

FOREVER = "import signal; print('ready', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True)\nwhile True: signal.pause()"
)


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _ready(folder: Path, name: str) -> bool | None:
    return True if "ready" in (folder / f"{name}.log").read_text() else None


def test_children_end_with_the_block_even_on_an_error(tmp_path: Path) -> None:
    pids = []

    def begin_and_fail() -> None:
        with Children(tmp_path, Interrupt()) as children:
            pids.append(children.start("one", _python(FOREVER)).process.pid)
            children.wait("one", lambda: _ready(tmp_path, "one"), 120)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        begin_and_fail()
    assert not psutil.pid_exists(pids[0])


def test_a_child_that_ignores_the_asking_is_killed(tmp_path: Path) -> None:
    with Children(tmp_path, Interrupt()) as children:
        child = children.start("deaf", _python(DEAF))
        children.wait("deaf", lambda: _ready(tmp_path, "deaf"), 120)
        child.stop(grace_s=0.2)
        assert child.process.returncode == -9


def test_a_child_that_dies_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    code = "import sys; print('no space left'); sys.exit(3)"
    with Children(tmp_path, Interrupt()) as children:
        children.start("store", _python(code))
        with pytest.raises(ChildDiedError, match=r"(?s)store.*3.*no space left"):
            children.wait("nothing", lambda: None, 120)


def test_waiting_ends(tmp_path: Path) -> None:
    with Children(tmp_path, Interrupt()) as children:
        children.start("one", _python(FOREVER))
        with pytest.raises(LateError, match="the report"):
            children.wait("the report", lambda: None, 0.3)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        Children(tmp_path, Interrupt()) as children,
        pytest.raises(DemoError, match="no-such-program"),
    ):
        children.start("x", ["no-such-program"])


def test_children_do_not_inherit_our_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHOOLPULSE_MQTT_HOST", "production.example")
    code = "import os; print('ready', os.environ.get('SCHOOLPULSE_MQTT_HOST'), flush=True)"
    with Children(tmp_path, Interrupt()) as children:
        child = children.start("env", _python(code))
        child.process.wait(120)
        assert child.log_tail() == "ready None"


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.docx"
    kept.write_text("years of work")
    with pytest.raises(DemoError, match="--out"):
        fresh(tmp_path)
    assert kept.read_text() == "years of work"


def test_our_own_folder_is_emptied(tmp_path: Path) -> None:
    place = fresh(tmp_path / "demo")
    (place.data / "schoolpulse.db").write_text("old")
    assert not list(fresh(tmp_path / "demo").data.iterdir())


def test_settings_are_read_by_both_sides(tmp_path: Path) -> None:
    place = fresh(tmp_path / 'a "quoted" 文件夹')
    write_settings(place, Ports(broker=1884, lineserver=8096), "3.1.1")
    city, warnings = city_config.load(str(place.collector_toml))
    agent, more = agent_config.load(str(place.agent_toml))
    assert warnings == more == []
    assert city.folder == place.data
    assert city.mqtt.protocols == agent.broker.protocols == ("3.1.1",)
    assert (agent.school, agent.room, agent.broker.port) == (school.CODE, school.ROOM, 1884)
    assert agent.line.at_start
    assert city.lines.server == "http://127.0.0.1:8096"
    assert tomllib.loads(place.agent_toml.read_text("utf-8"))


def test_a_broker_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_mosquitto", lambda: None)
    assert broker.choose(None) == "amqtt"
    with pytest.raises(DemoError, match="amqtt"):
        broker.choose("mosquitto")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_closing_table_fits_eighty_columns(lang: Lang) -> None:
    choose(lang)
    out = io.StringIO()
    seen = machine.Seen(
        machine="0123456789abcdef" * 2, reports=12,
        agent={"rss_bytes": 31_000_000},
        host={"hostname": "a-rather-long-host-name-of-a-school-pc", "os": "Debian GNU/Linux",
              "os_version": "12 (bookworm)", "memory_total": 25_280_000_000, "cores": 2,
              "cpu": "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"},
        test={"outcome": "ok", "down_mbps": 941.237, "up_mbps": 935.1, "latency_ms": 0.4,
              "reason": "loopback, not_alone, other_traffic, server_limited, pc_limited"},
        record={"down_mbps": 901.0}, devices=("显示器 monitor-of-a-long-name-1234567890",),
    )  # fmt: skip
    machine.show(Console(file=out, width=80, highlight=False), seen)
    assert out.getvalue().count("\n") > 15
    assert max(cell_len(line) for line in out.getvalue().splitlines()) <= 80
    assert "0123456789abcdef" * 2 in out.getvalue()


def test_ports_given_out_are_free() -> None:
    port = broker.free_port()
    assert broker.listens(port) is None

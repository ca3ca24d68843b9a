"""What `schoolpulse setup` does about systemd and what else runs on the machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from collector.config import Config, Mqtt, Store
from collector.enrol import drop_ins, machine
from enrolled_city import EnrolledCity

NAME = ("--name", "broker.city")


def test_units_name_only_what_is_there_and_are_brought_up_to_date(
    bare: EnrolledCity, capsys: Any
) -> None:
    units = bare.folder / "units"
    words = (*NAME, "--units", str(units))
    assert bare.setup(*words) == 0
    texts = {path.name: path.read_text() for path in units.rglob("*") if path.is_file()}
    assert set(texts) == {
        "schoolpulse-collector.service", "schoolpulse-lineserver.service",
        "schoolpulse-enrol.service", "schoolpulse-web.service", "10-schoolpulse.conf",
    }  # fmt: skip
    named = re.findall(r"^LoadCredential=[^:]+:(.+)$", "\n".join(texts.values()), re.MULTILINE)
    assert named
    assert [file for file in named if not Path(file).exists()] == []
    assert f"SCHOOLPULSE_DATA={bare.place.data}" in texts["schoolpulse-collector.service"]
    assert f"ReadWritePaths=-{bare.place.keys}" in texts["schoolpulse-enrol.service"]
    assert f"-c {bare.place.broker / 'mosquitto.conf'}" in texts["10-schoolpulse.conf"]
    (units / "schoolpulse-collector.service").write_text("[Unit]\n")
    assert bare.setup(*words) == 0
    changed = (units / "schoolpulse-collector.service").read_text()
    assert changed == texts["schoolpulse-collector.service"]
    capsys.readouterr()
    assert bare.setup(*words) == 0
    assert "没有要做的" in capsys.readouterr().out


def test_units_of_a_dry_run_are_only_told(bare: EnrolledCity, capsys: Any) -> None:
    units = bare.folder / "units"
    assert bare.setup(*NAME, "--units", str(units), "--dry-run") == 0
    assert str(units / "schoolpulse-collector.service") in capsys.readouterr().out
    assert not bare.folder.exists()


def test_what_this_machine_lacks_is_told_with_its_package(
    bare: EnrolledCity, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: None)
    assert bare.setup(*NAME, "--store", "influxdb") == 0
    said = capsys.readouterr().out
    assert "apt install mosquitto" in said
    assert "apt install influxdb" in said
    assert f"collect --config {bare.file}" in said


def test_a_name_without_an_address_here_is_told(monkeypatch: Any) -> None:
    """The services of this machine connect by it, too."""

    def lookup(host: str, port: object) -> list[Any]:
        if host == "broker.city":
            raise OSError("Name or service not known")
        return [(0, 0, 0, "", ("10.1.2.3", 0))]

    monkeypatch.setattr(machine.socket, "getaddrinfo", lookup)
    assert any("/etc/hosts" in line for line in machine.missing("sqlite", "broker.city"))
    assert "✓ broker.known: 10.1.2.3" in machine.missing("sqlite", "broker.known")


@pytest.mark.parametrize(
    ("version", "more", "closed"),
    [
        ("InfluxDB v1.6.7~rc0 (git: unknown unknown)", (), True),
        ("InfluxDB v1.8.10 (git: 1.8 688e697c51fd)", (), True),
        ("InfluxDB v2.7.12 (git: ec9dcde5d6) build_date: 2025", (), False),
        ("InfluxDB v1.6.7~rc0 (git: unknown unknown)", ("--store", "sqlite"), False),
    ],
)
def test_an_influxdb_that_takes_any_token_is_for_this_machine_alone(
    bare: EnrolledCity, monkeypatch: Any, version: str, more: tuple[str, ...], closed: bool
) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "_version", lambda path: version)
    units = bare.folder / "units"
    assert bare.setup(*NAME, "--units", str(units), "--store", "influxdb", *more) == 0
    made = units / "influxdb.service.d/10-schoolpulse.conf"
    assert made.exists() is closed
    if closed:
        assert "INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:8086\n" in made.read_text()
        assert "INFLUXDB_DATA_QUERY_LOG_ENABLED=false\n" in made.read_text()
        assert "NoNewPrivileges=yes\n" in made.read_text()


def test_the_database_of_another_machine_leaves_this_one_s_alone(
    bare: EnrolledCity, monkeypatch: Any
) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "_version", lambda path: "InfluxDB v1.6.7")
    assert bare.setup(*NAME, "--store", "influxdb") == 0
    text = bare.file.read_text().replace("[store]\n", '[store]\nurl = "http://10.0.0.9:8086"\n')
    bare.file.write_text(text)
    units = bare.folder / "units"
    assert bare.setup("--units", str(units)) == 0
    assert not (units / "influxdb.service.d").exists()


def test_the_database_stays_at_its_port(bare: EnrolledCity, monkeypatch: Any) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "_version", lambda path: "InfluxDB v1.6.7")
    assert bare.setup(*NAME, "--store", "influxdb") == 0
    text = bare.file.read_text().replace("[store]\n", '[store]\nurl = "http://localhost:8087"\n')
    bare.file.write_text(text)
    units = bare.folder / "units"
    assert bare.setup("--units", str(units)) == 0
    made = units / "influxdb.service.d/10-schoolpulse.conf"
    assert "INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:8087\n" in made.read_text()


def test_only_what_runs_here_is_started_with_ours(monkeypatch: Any) -> None:
    """A unit that is not there would make systemctl refuse all of them."""
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "_version", lambda path: "InfluxDB v1.6.7")
    assert machine.beside(Config(), "influxdb") == ["mosquitto", "influxdb"]
    assert machine.beside(Config(), "sqlite") == ["mosquitto"]
    far = Config(store=Store(url="http://10.0.0.9:8086"), mqtt=Mqtt(hivemq="/opt/hivemq/c.xml"))
    assert machine.beside(far, "influxdb") == []
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: None)
    assert machine.beside(Config(), "influxdb") == ["mosquitto"]


def test_a_drop_in_of_before_makes_way_for_one_that_systemctl_edit_outranks(
    bare: EnrolledCity, capsys: Any
) -> None:
    units = bare.folder / "units"
    former = units / "mosquitto.service.d/schoolpulse.conf"
    former.parent.mkdir(parents=True)
    former.write_text("[Service]\nLimitNOFILE=40000\n")
    words = (*NAME, "--units", str(units))
    assert bare.setup(*words) == 0
    (made,) = former.parent.iterdir()
    assert made.name < "override.conf"
    capsys.readouterr()
    assert bare.setup(*words) == 0
    assert "没有要做的" in capsys.readouterr().out


def test_the_drop_in_holds_the_limits_of_the_samples(bare: EnrolledCity) -> None:
    sample = Path(__file__).parents[3] / "deploy/mosquitto/limits.conf"
    assert sample.read_text("utf-8") == drop_ins.LIMITS

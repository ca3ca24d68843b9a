"""`schoolpulse doctor`: each cause is told from its neighbours, and has a fix of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import pki
import services
from agent.common.broker_settings import AgentBroker
from agent.doctor import reach
from agent.mqtt.accounts import Account
from collector.broker.session import stop_loop
from collector.doctor.broker import dropped
from collector.roster.book import RegisterBook
from collector.roster.register import Register, School
from collector.roster.rows import rows_of
from collector.store.influx_write import authorization

SCHOOL = "9900000001"
Checks = dict[str, dict[str, Any]]
Doctor = Callable[..., Checks]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a register of one school."""
    folder = tmp_path / "data"
    register = Register({SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")})
    RegisterBook(folder / "register.db").import_rows(rows_of(register), who="test")
    return folder


@pytest.fixture
def doctor(tmp_path: Path, data: Path) -> Doctor:
    """Runs it with further settings; the checks by their English name."""

    def run(settings: str = "", *words: str, folder: Path = data, user: str = "") -> Checks:
        file = (folder if user else tmp_path) / "collector.toml"
        dead = f"[mqtt]\nport = {services.free_port()}\n" if "[mqtt]" not in settings else ""
        file.write_text(f'data = "{folder}"\n{dead}{settings}')
        tool = [sys.executable, "-m", "collector.cli", "--lang", "en", "doctor", "--json"]
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []
        done = subprocess.run(
            [*as_user, *tool, *words, "--config", str(file)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return {check["name"]: check for check in json.loads(done.stdout)["checks"]}

    return run


# ---- TLS


@contextmanager
def tls_broker(folder: Path, signed: pki.Signed) -> Iterator[int]:
    folder.mkdir()
    more = f"certfile {signed.certificate}\nkeyfile {signed.key}\n"
    with services.broker("mosquitto", folder, more) as running:
        yield running.port


def both_sides(doctor: Doctor, port: int, host: str, ca: Path) -> list[tuple[str, str]]:
    """What the city's doctor and a school PC's say of this broker."""
    city = doctor(f'[mqtt]\nhost = "{host}"\nport = {port}\ntls = true\nca = "{ca}"\n')["broker"]
    assert not city["ok"]
    broker = AgentBroker(host=host, port=port, tls=True, ca=str(ca))
    found = list(reach.checks(broker, Account(broker)))
    assert found[-1].ok is False
    return [(city["detail"], city["fix"]), (found[-1].detail, found[-1].fix)]


@pytest.mark.mosquitto
def test_a_certificate_of_another_ca(tmp_path: Path, doctor: Doctor) -> None:
    ours, theirs = pki.Ca(tmp_path / "ours"), pki.Ca(tmp_path / "theirs", "another")
    with tls_broker(tmp_path / "b", theirs.sign("127.0.0.1")) as port:
        (detail, fix), agent = both_sides(doctor, port, "127.0.0.1", ours.path)
    assert "signed by another CA" in detail
    assert str(ours.path) in fix
    assert "另一个 CA" in agent[0]
    assert str(ours.path) in agent[1]


@pytest.mark.mosquitto
def test_a_certificate_for_another_name(tmp_path: Path, doctor: Doctor) -> None:
    ca = pki.Ca(tmp_path / "ours")
    with tls_broker(tmp_path / "b", ca.sign("mqtt.example")) as port:
        for host in ("127.0.0.1", "localhost"):
            (detail, fix), agent = both_sides(doctor, port, host, ca.path)
            assert f"not for {host}" in detail
            assert host in fix
            assert f"不是给 {host}" in agent[0]


@pytest.mark.mosquitto
def test_a_certificate_that_has_expired_or_is_to_come(tmp_path: Path, doctor: Doctor) -> None:
    ca = pki.Ca(tmp_path / "ours")
    for name, span, said in (
        ("b", pki.EXPIRED, "has expired"),
        ("c", pki.NOT_YET, "not valid yet"),
    ):
        with tls_broker(tmp_path / name, ca.sign("127.0.0.1", span)) as port:
            settings = f'[mqtt]\nport = {port}\ntls = true\nca = "{ca.path}"\n'
            check = doctor(settings)["broker"]
        assert said in check["detail"]
        assert "clock" in check["fix"]


@pytest.mark.mosquitto
def test_a_port_without_tls(tmp_path: Path, doctor: Doctor, kit: Any) -> None:
    ca = pki.Ca(tmp_path / "ours")
    folder = tmp_path / "b"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        (_, fix), agent = both_sides(doctor, running.port, "127.0.0.1", ca.path)
    assert "port" in fix
    assert "端口" in agent[1]


@pytest.mark.mosquitto
def test_certificates_that_end_within_thirty_days(tmp_path: Path, doctor: Doctor) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    soon = (now - dt.timedelta(days=1), now + dt.timedelta(days=20, hours=1))
    good = (now - dt.timedelta(days=1), now + dt.timedelta(days=40, hours=1))
    for name, of_ca, of_server in (("a", soon, good), ("b", good, soon)):
        ca = pki.Ca(tmp_path / f"ca-{name}", span=of_ca)
        with tls_broker(tmp_path / name, ca.sign("127.0.0.1", of_server)) as port:
            found = doctor(f'[mqtt]\nport = {port}\ntls = true\nca = "{ca.path}"\n')
        assert found["CA"]["ok"] is (of_ca is good)
        assert found["broker's certificate"]["ok"] is (of_server is good)
        late = found["CA"] if of_ca is soon else found["broker's certificate"]
        assert "20 days" in late["detail"]
        assert late["fix"]


# ---- the way to the broker, and its queues


def test_no_such_name_and_nobody_there(doctor: Doctor) -> None:
    check = doctor('[mqtt]\nhost = "no-such-host.invalid"\n')["broker"]
    assert "DNS" in check["fix"]
    check = doctor(f"[mqtt]\nport = {services.free_port()}\n")["broker"]
    assert "refused" in check["detail"]
    assert "start the broker" in check["fix"]


@pytest.mark.mosquitto
def test_messages_that_the_broker_dropped(tmp_path: Path, doctor: Doctor, kit: Any) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    with services.broker("mosquitto", folder, "max_queued_messages 1") as running:
        away = mqtt.Client(CallbackAPIVersion.VERSION2, "away", clean_session=False)
        subscribed: list[int] = []
        away.on_connect = lambda client, *_: client.subscribe("t", 1)
        away.on_subscribe = lambda *_: subscribed.append(1)
        away.connect("127.0.0.1", running.port)
        away.loop_start()
        kit.until(lambda: bool(subscribed), what="subscription")
        away.disconnect()
        stop_loop(away)
        sender = mqtt.Client(CallbackAPIVersion.VERSION2)
        sender.connect("127.0.0.1", running.port)
        sender.loop_start()
        for _ in range(60):
            sender.publish("t", b"x", 1).wait_for_publish(30)
        counted: list[int] = []
        sender.on_message = lambda _c, _d, message: counted.append(int(message.payload))
        sender.subscribe("$SYS/broker/publish/messages/dropped")
        kit.until(lambda: bool(counted) and counted[-1] > 0, what="the broker's count")
        sender.disconnect()
        stop_loop(sender)
        check = doctor(f"[mqtt]\nport = {running.port}\n")["broker's queues"]
    assert check["ok"] is False
    assert "max_queued_messages" in check["fix"]


def test_drops_are_counted_over_restarts_of_the_broker() -> None:
    assert dropped([], None) is None
    assert dropped([], 3) == 3
    assert dropped([7, 7, 7], 7) == 0
    assert dropped([7, 9, 0, 2], 5) == 7


# ---- the database


def account_server(url: str) -> None:
    """A 1.x with an administrator, two databases, and a user who may do nothing."""
    login = ""  # the first user is made by nobody
    for query in (
        "CREATE USER root WITH PASSWORD 'correct' WITH ALL PRIVILEGES",
        'CREATE DATABASE "telemetry"', 'CREATE DATABASE "evidence"',
        "CREATE USER weak WITH PASSWORD 'correct'",
    ):  # fmt: skip
        form = urllib.parse.urlencode({"q": query}).encode()
        request = urllib.request.Request(f"{url}/query", form, authorization(login))
        with urllib.request.urlopen(request, timeout=services.PATIENCE_S) as answer:
            answer.read()  # its head comes before the query is done
        login = "root:correct"


def influx(url: str, login: str = "") -> str:
    return f'[store]\nkind = "influxdb"\nurl = "{url}"\ntoken = "{login}"\n'


def test_a_wrong_token_and_one_without_rights(tmp_path: Path, doctor: Doctor) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with services.bare_influx(folder, accounts=True) as url:
        account_server(url)
        wrong = doctor(influx(url, "root:wrong"))["store"]
        weak = doctor(influx(url, "weak:correct"))["store"]
        well = doctor(influx(url, "root:correct"))["store"]
    assert "401" in wrong["detail"]
    assert "valid one" in wrong["fix"]
    assert "403" in weak["detail"]
    assert "telemetry and evidence" in weak["fix"]
    assert well["ok"], well


def test_a_first_influxdb_without_the_second_path_is_well(tmp_path: Path, doctor: Doctor) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with services.bare_influx(folder) as url:
        found = doctor(influx(url), "--fix")
        assert found["buckets"]["ok"], found["buckets"]
        assert found["store"]["ok"], found["store"]


def test_a_database_that_is_dead_behind_a_proxy(tmp_path: Path, doctor: Doctor) -> None:
    proxy = services.require("nginx")
    folder = tmp_path / "proxy"
    with services._nginx(proxy, folder, services.free_port(), "25m") as url:
        found = doctor(influx(url))
    assert "502" in found["store"]["detail"]
    assert "proxy answers" in found["store"]["fix"]
    assert found["not checked"]["ok"] is None
    assert not {"schools", "delivery", "PC clocks"} & set(found)
    for name in ("schools", "delivery", "PC clocks"):
        assert name in found["not checked"]["detail"]
    assert "store" in found["not checked"]["fix"]


def test_a_database_that_is_not_there(doctor: Doctor) -> None:
    refused = doctor(influx(f"http://127.0.0.1:{services.free_port()}"))
    unknown = doctor(influx("http://no-such-host.invalid:8086"))
    for name in ("buckets", "store", "keeper"):
        assert "nothing listens" in refused[name]["fix"]
        assert "DNS" in unknown[name]["fix"]
        for found in (refused, unknown):
            assert "Connection(" not in found[name]["detail"], "the words of a library"


# ---- files


def test_a_missing_data_folder_keeps_nothing_from_being_set_up_that_lies_elsewhere(
    tmp_path: Path, doctor: Doctor
) -> None:
    folder, gone = tmp_path / "influx", tmp_path / "gone"
    folder.mkdir()
    with services.bare_influx(folder) as url:
        found = doctor(influx(url), folder=gone)
        assert not found["data folder"]["ok"]
        assert not found["buckets"]["ok"]
        assert not gone.exists()
        assert "register" in found["not checked"]["detail"]
        found = doctor(influx(url), "--fix", folder=gone)
        assert found["data folder"]["ok"]
        assert found["buckets"]["ok"]
        assert gone.is_dir()
        assert "not checked" not in found


@pytest.mark.parametrize("kind", ["influxdb", "sqlite"])
def test_a_data_folder_that_cannot_be_made_ends_the_checks_that_rest_on_it(
    tmp_path: Path, doctor: Doctor, kind: str
) -> None:
    """Each is named as not checked, none is called well, and what lies elsewhere goes on."""
    (tmp_path / "file").write_text("")
    folder, gone = tmp_path / "influx", tmp_path / "file/data"
    folder.mkdir()
    with services.bare_influx(folder) as url:
        found = doctor(influx(url) if kind == "influxdb" else "", "--fix", folder=gone)
    assert found["data folder"]["ok"] is False
    assert found["data folder"]["fix"]
    assert found["not checked"]["ok"] is None
    left = {"disk", "register", "quarantine", "held reports", "keeper", "schools", "delivery"}
    assert not left & set(found)
    for name in left:
        assert name in found["not checked"]["detail"]
    assert ("store" in found["not checked"]["detail"]) is (kind == "sqlite")
    assert ("store" in found) is (kind == "influxdb")
    assert {"broker", "measurement server"} <= set(found)
    if kind == "influxdb":
        assert found["buckets"]["ok"]
        assert found["store"]["ok"]


def test_a_full_disk_advises_to_free_room_and_nothing_else(
    tmp_path: Path, data: Path, doctor: Doctor
) -> None:
    with services.small_disk(tmp_path / "disk") as disk:
        shutil.copy(data / "register.db", disk / "register.db")
        services.fill(disk)
        found = doctor(folder=disk)
    assert not found["disk"]["ok"]
    wrong = {name: check for name, check in found.items() if check["ok"] is False}
    assert {"disk", "store"} <= set(wrong)
    for name in {"disk", "store", "register", "quarantine", "held reports"} & set(wrong):
        assert "free room" in wrong[name]["fix"], wrong[name]
        assert "import" not in wrong[name]["detail"] + wrong[name]["fix"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_register_that_this_user_may_not_read(data: Path, doctor: Doctor) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are for one user
        folder = Path(name)
        folder.chmod(0o777)
        shutil.copy(data / "register.db", folder)
        (folder / "register.db").chmod(0o600)
        check = doctor(folder=folder, user="65534")["register"]
    assert check["ok"] is False
    assert "root" in check["fix"]
    assert "chown" in check["fix"]
    assert "import" not in check["detail"] + check["fix"]

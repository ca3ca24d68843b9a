"""`enrol hivemq`: the file of another broker follows what `enrol` and `revoke` have done."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from agent.common.calendar import CITY_TIME
from collector.commands.enrol import settling
from collector.enrol import owned
from enrolled_city import SCHOOLS, EnrolledCity


def names(path: Path) -> set[str]:
    return {one.findtext("name", "") for one in Xml.parse(path).iter("user")}


def test_the_file_has_every_account_and_loses_a_revoked_one(
    city: EnrolledCity, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "credentials.xml"
    assert city.enrol("--all") == 0
    assert city.enrol("hivemq", str(path)) == 0
    services = {"collector", "keeper", "lineserver", "doctor"}
    assert names(path) == services | set(SCHOOLS)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    capsys.readouterr()
    assert city.enrol("hivemq", str(path)) == 0
    assert path.read_bytes() == before
    assert "没有变化" in capsys.readouterr().out
    assert city.enrol("revoke", SCHOOLS[0], "--why", "closed") == 0
    assert city.enrol("hivemq", str(path)) == 0
    assert names(path) == services | set(SCHOOLS[1:])


@pytest.fixture
def path(city: EnrolledCity, tmp_path: Path) -> Path:
    """The file that the settings name, with all schools."""
    made = tmp_path / "credentials.xml"
    text = city.file.read_text("utf-8").replace("[mqtt]\n", f"[mqtt]\nhivemq = '{made}'\n")
    city.file.write_text(text, "utf-8")
    assert city.enrol("--all") == 0
    return made


def test_enrolment_goes_by_the_file_that_the_settings_name(
    city: EnrolledCity, tmp_path: Path, capsys: Any
) -> None:
    """A broker answers at its port, which knows no commands of Mosquitto."""
    path = tmp_path / "credentials.xml"
    text = city.file.read_text("utf-8").replace("[mqtt]\n", f"[mqtt]\nhivemq = '{path}'\n")
    city.file.write_text(text, "utf-8")
    with socket.create_server(("127.0.0.1", city.port)):
        assert city.enrol("--all") == 0
        assert "HiveMQ" in capsys.readouterr().out
        assert names(path) >= set(SCHOOLS)
        assert city.enrol("check") == 0, capsys.readouterr().out
        assert city.enrol("rotate", SCHOOLS[0]) == 0
        assert f"{SCHOOLS[0]}-2" in names(path)
        assert city.enrol("revoke", SCHOOLS[0], "--why", "closed") == 0
        assert names(path) & set(SCHOOLS) == set(SCHOOLS[1:])
        assert not any(name.startswith(SCHOOLS[0]) for name in names(path))
        path.write_bytes(path.read_bytes().replace(SCHOOLS[1].encode(), b"9963999999"))
        capsys.readouterr()
        assert city.enrol("check") == 1
        said = capsys.readouterr().out
        assert SCHOOLS[1] in said
        assert "9963999999" in said
        assert city.enrol("settle") == 0
        assert names(path) >= set(SCHOOLS[1:])


def test_a_folder_that_is_not_there_is_named(
    city: EnrolledCity, tmp_path: Path, capsys: Any
) -> None:
    assert city.enrol("hivemq", str(tmp_path / "none/credentials.xml")) == 2
    assert "none" in capsys.readouterr().err


def test_another_file_of_hivemq_is_not_replaced(
    city: EnrolledCity, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "config.xml"
    path.write_text("<hivemq><mqtt/></hivemq>")
    assert city.enrol("hivemq", str(path)) != 0
    assert "credentials.xml" in capsys.readouterr().err
    assert path.read_text() == "<hivemq><mqtt/></hivemq>"


class Hours(threading.Event):
    """The service's clock: at the end of each hour something happens."""

    def __init__(self, *acts: Any) -> None:
        super().__init__()
        self.acts = list(acts)

    def wait(self, timeout: float | None = None) -> bool:
        """An hour, and what happens at its end; after the last one it is stopped."""
        self.acts.pop(0)() if self.acts else self.set()
        return self.is_set()


def service(city: EnrolledCity, monkeypatch: pytest.MonkeyPatch, *acts: Any) -> int:
    """`enrol settle --every` for as many hours, and one more."""
    with monkeypatch.context() as patched:
        patched.setattr(settling.threading, "Event", lambda: Hours(*acts))
        return city.enrol("settle", "--every", "3600")


def end_former(city: EnrolledCity, school: str) -> None:
    """A rotation whose last day has passed."""
    assert city.enrol("rotate", school) == 0
    yesterday = dt.datetime.now(CITY_TIME).date() - dt.timedelta(days=1)
    with city.state() as state:
        state.limit(school, yesterday.isoformat())


def test_the_service_asks_for_root_once_and_only_where_an_ended_account_is_left(
    city: EnrolledCity, path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> int:
        return capsys.readouterr().out.count("schoolpulse enrol settle")

    def nothing() -> None:
        """An hour in which nothing happens."""

    assert service(city, monkeypatch, nothing, nothing) == 0
    assert said() == 0, "no account has ended"
    end_former(city, SCHOOLS[0])
    capsys.readouterr()
    assert service(city, monkeypatch, nothing, nothing) == 0
    assert said() == 1
    assert SCHOOLS[0] in names(path), "it may not write the file"
    capsys.readouterr()
    assert service(city, monkeypatch, lambda: end_former(city, SCHOOLS[1])) == 0
    assert said() == 2, "another school"
    assert city.enrol("settle") == 0
    assert names(path) & set(SCHOOLS) == set(SCHOOLS[2:])
    capsys.readouterr()
    assert service(city, monkeypatch, nothing) == 0
    assert said() == 0, "root has done it"


@pytest.mark.parametrize("by_hand", ["revoke", "settle"])
def test_who_stays_connected_is_said_and_what_ends_that(
    city: EnrolledCity, path: Path, capsys: Any, by_hand: str
) -> None:
    if by_hand == "revoke":
        words: tuple[str, ...] = ("revoke", SCHOOLS[0], "--why", "leaked")
    else:
        words = ("settle",)
        end_former(city, SCHOOLS[0])
    capsys.readouterr()
    assert city.enrol(*words) == 0
    said = capsys.readouterr().out
    assert "已经连上的不会断开" in said
    assert "systemctl restart hivemq" in said
    assert city.enrol(*words) == 0
    assert "systemctl" not in capsys.readouterr().out, "nothing ended this time"


def findings(city: EnrolledCity, capsys: Any) -> dict[str, dict[str, str]]:
    """What `enrol check` finds, by name."""
    capsys.readouterr()
    bad = city.enrol("check", "--json")
    found = json.loads(capsys.readouterr().out)["checks"]
    wrong = {one["name"]: one for one in found if one["ok"] is False}
    assert bad == bool(wrong)
    return wrong


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<topic>schoolpulse/v1/%s/policy</topic>" % SCHOOLS[0].encode(), b"<topic>#</topic>"),
        (b"<name>%s</name>\n      <password>" % SCHOOLS[0].encode(), None),
    ],
)
def test_another_right_or_password_in_the_file_is_found_and_put_right(
    city: EnrolledCity, path: Path, capsys: Any, before: bytes, after: bytes | None
) -> None:
    assert findings(city, capsys) == {}
    data = path.read_bytes()
    assert data.count(before) == 1
    changed = data.replace(before, after) if after else data.replace(before, before + b"A")
    path.write_bytes(changed)
    (wrong,) = findings(city, capsys).values()
    assert str(path) in wrong["detail"]
    assert city.enrol("--all") == 0
    assert findings(city, capsys) == {}


def test_a_file_that_others_may_read_is_found_and_put_right(
    city: EnrolledCity, path: Path, capsys: Any
) -> None:
    path.chmod(0o644)
    (wrong,) = findings(city, capsys).values()
    assert f"{path}: 0644" in wrong["detail"]
    assert city.enrol("--all") == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert findings(city, capsys) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_hivemq_cannot_read_is_found_and_put_right(
    city: EnrolledCity, path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user that this machine has stands for HiveMQ's."""
    assert findings(city, capsys) == {}, "there is no user hivemq here"
    monkeypatch.setattr(owned, "HIVEMQS", owned.Kind(0o600, "nobody"))
    (wrong,) = findings(city, capsys).values()
    assert f"{path}: 0600 root" in wrong["detail"]
    assert city.enrol("--all") == 0
    assert findings(city, capsys) == {}

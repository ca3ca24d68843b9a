"""`enrol hivemq`: the file of another broker follows what `enrol` and `revoke` have done."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

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

"""`enrol hivemq`: the file of another broker follows what `enrol` and `revoke` have done."""

from __future__ import annotations

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


def test_a_folder_that_is_not_there_is_named(
    city: EnrolledCity, tmp_path: Path, capsys: Any
) -> None:
    assert city.enrol("hivemq", str(tmp_path / "none/credentials.xml")) == 2
    assert "none" in capsys.readouterr().err

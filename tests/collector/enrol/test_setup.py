"""`schoolpulse setup`: everything once, nothing twice, and whole after any kill."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import stat
from pathlib import Path
from typing import Any

import pytest

from agent.common import files, textfile
from collector.broker import dynsec
from collector.enrol import authority, owned, pki
from collector.enrol.place import SERVICES
from collector.release import key as release
from enrolled_city import SECRET, EnrolledCity

NAME = ("--name", "broker.city")


def names(city: EnrolledCity) -> set[str]:
    return set(authority.server_names(city.place))


def test_dry_run_writes_nothing(bare: EnrolledCity, capsys: Any) -> None:
    assert bare.setup(*NAME, "--dry-run") == 0
    assert "ca.pem" in capsys.readouterr().out
    assert not bare.folder.exists()


def test_all_that_a_city_needs(bare: EnrolledCity, capsys: Any) -> None:
    assert bare.setup(*NAME, "--alt", "10.0.0.1", "localhost") == 0
    place = bare.place
    assert names(bare) == {"broker.city", "10.0.0.1", "localhost", "mosquitto"}
    passwords = {textfile.secret(place.password(service)) for service in (*SERVICES, "grafana")}
    assert len(passwords) == len(SERVICES) + 1
    assert all(SECRET.fullmatch(one) for one in passwords)
    accounts = (dynsec.read(place.accounts) or {})["clients"]
    assert {one["username"] for one in accounts} == set(SERVICES)
    said = capsys.readouterr()
    assert not SECRET.search(said.out + said.err)
    config = bare.config
    assert config.mqtt.host == "broker.city"
    assert config.mqtt.password == textfile.secret(place.password("collector"))
    assert config.folder == place.data


def test_nobody_else_reads_the_secrets(bare: EnrolledCity) -> None:
    assert bare.setup(*NAME) == 0
    place = bare.place
    secret = [place.ca_key, place.server_key, place.accounts, place.state]
    secret += [place.password(service) for service in SERVICES]
    assert [p for p in secret if stat.S_IMODE(p.stat().st_mode) & 0o077] == []


def test_twice_changes_nothing(bare: EnrolledCity, capsys: Any) -> None:
    bare.setup(*NAME)
    before = bare.files()
    capsys.readouterr()
    assert bare.setup(*NAME) == 0
    assert bare.setup() == 0
    assert "没有要做的" in capsys.readouterr().out
    assert bare.files() == before


def test_the_first_time_it_asks_for_the_name(bare: EnrolledCity, capsys: Any) -> None:
    assert bare.setup() == 2
    assert "--name" in capsys.readouterr().err
    assert not bare.file.exists()


@pytest.mark.parametrize("name", ["*.city", "a b", "", "学校.cn"])
def test_a_name_that_is_none_is_refused(bare: EnrolledCity, name: str) -> None:
    assert bare.setup("--name", name) == 2
    assert not bare.file.exists()


def test_another_name_is_a_new_certificate_from_the_same_ca(bare: EnrolledCity) -> None:
    bare.setup(*NAME)
    before, ca = bare.place.server.read_bytes(), bare.place.ca.read_bytes()
    settings = bare.file.read_bytes()
    assert bare.setup("--alt", "10.9.9.9") == 0
    assert names(bare) == {"broker.city", "mosquitto", "10.9.9.9"}
    assert bare.place.ca.read_bytes() == ca
    assert bare.place.server.with_name("server.previous.pem").read_bytes() == before
    assert bare.file.read_bytes() == settings


def test_settings_that_are_there_stay_and_what_is_wrong_in_them_is_said(
    bare: EnrolledCity, capsys: Any
) -> None:
    bare.setup(*NAME)
    text = bare.file.read_text().replace('"broker.city"', '"10.1.1.1"', 1)
    bare.file.write_text(text)
    (bare.place.broker / "mosquitto.conf").write_text("# by hand\n")
    assert bare.setup() == 0
    said = capsys.readouterr().err
    assert "setup --alt 10.1.1.1" in said
    assert "mosquitto.conf" in said
    assert bare.file.read_text() == text


def test_the_ca_s_key_may_leave_the_machine(bare: EnrolledCity, capsys: Any) -> None:
    bare.setup(*NAME)
    away = bare.folder / "stick.key"
    bare.place.ca_key.rename(away)
    assert bare.setup() == 0  # nothing is to be signed
    assert bare.setup("--alt", "10.9.9.9") == 2
    assert "--ca-key" in capsys.readouterr().err
    assert names(bare) == {"broker.city", "mosquitto"}
    assert bare.setup("--alt", "10.9.9.9", "--ca-key", str(away)) == 0
    assert "10.9.9.9" in names(bare)
    assert not bare.place.ca_key.exists()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_release_key_is_made_once_where_it_is_wanted(
    bare: EnrolledCity, tmp_path: Path, elsewhere: bool
) -> None:
    stick = tmp_path / "stick/release.key"
    assert bare.setup(*NAME, *(["--release-key", str(stick)] if elsewhere else [])) == 0
    key = stick if elsewhere else bare.place.data / release.FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert release.known(bare.place.data) == release.public(key)
    before = bare.files()
    key.rename(tmp_path / "safe.key")
    assert bare.setup(*NAME) == 0
    assert bare.files().items() <= before.items()


def test_another_s_key_signs_nothing(bare: EnrolledCity) -> None:
    bare.setup(*NAME)
    before = bare.place.server.read_bytes()
    bare.place.ca_key.unlink()
    bare.place.ca_key.write_bytes(pki.new_key())
    assert bare.setup("--alt", "10.9.9.9") == 2
    assert bare.place.server.read_bytes() == before


def test_a_lost_ca_is_not_replaced_in_silence(bare: EnrolledCity, capsys: Any) -> None:
    """A new one would lock every PC of the city out."""
    bare.setup(*NAME)
    bare.place.ca.unlink()
    assert bare.setup() == 2
    assert "备份" in capsys.readouterr().err
    assert not bare.place.ca.exists()


def test_wide_rights_are_brought_back(bare: EnrolledCity) -> None:
    bare.setup(*NAME)
    bare.place.password("admin").chmod(0o644)
    assert bare.setup() == 0
    assert stat.S_IMODE(bare.place.password("admin").stat().st_mode) == 0o400


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


@pytest.mark.parametrize("moment", range(12))
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_the_next_run_finishes(
    bare: EnrolledCity, monkeypatch: Any, moment: int, after: bool
) -> None:
    """Before and after each file that is put in its place."""
    real, count = files.replace, iter(range(100))

    def dying(path: Path, data: bytes, **more: Any) -> None:
        last = next(count) == moment
        if last and not after:
            raise Killed
        real(path, data, **more)
        if last:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(files, "replace", dying)
        try:
            bare.setup(*NAME)
        except Killed:
            pass
        else:
            assert next(count) <= moment
    secrets = {p: p.read_bytes() for p in bare.folder.rglob("*.password")}
    assert bare.setup(*NAME) == 0
    assert authority.unusable(bare.place, dt.datetime.now(dt.UTC)) == ""
    assert pki.matches(bare.place.ca.read_bytes(), bare.place.ca_key.read_bytes())
    assert secrets == {p: p.read_bytes() for p in secrets}
    bare.roster("9901020001")
    assert bare.enrol("check") == 0
    os.sync()


def test_influxdb_s_token_is_drawn_before_any_settings_name_it(bare: EnrolledCity) -> None:
    units = bare.folder / "units"
    assert bare.setup(*NAME, "--store", "influxdb", "--units", str(units)) == 0
    before = bare.files()
    assert bare.config.store.token == textfile.secret(bare.place.token)
    assert stat.S_IMODE(bare.place.token.stat().st_mode) == 0o400
    assert "store.token" in (units / "schoolpulse-collector.service").read_text()
    assert bare.setup("--units", str(units)) == 0
    assert bare.files() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_made_before_the_broker_was_installed_is_given_to_it(
    bare: EnrolledCity, monkeypatch: Any
) -> None:
    """Its unit runs as that user from the start."""
    monkeypatch.setattr(owned.pwd, "getpwnam", _nobody_yet)
    assert bare.setup(*NAME) == 0
    key = bare.place.server_key
    assert key.stat().st_uid == 0
    monkeypatch.undo()
    if not _has(owned.BROKER):
        pytest.skip("no user mosquitto")
    assert bare.setup() == 0
    assert key.stat().st_uid == pwd.getpwnam(owned.BROKER).pw_uid


def _nobody_yet(name: str) -> Any:
    raise KeyError(name)


def _has(user: str) -> bool:
    return any(one.pw_name == user for one in pwd.getpwall())

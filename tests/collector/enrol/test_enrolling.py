"""`schoolpulse enrol`: once for each school, the same again, whole after any kill."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from contextlib import closing, suppress
from typing import Any

import pytest

from agent.common import files
from agent.wire.renewal import Renewal, ca_digest
from collector.broker import dynsec
from collector.enrol.place import SERVICES
from enrolled_city import SCHOOLS, SECRET, EnrolledCity


def accounts(city: EnrolledCity) -> set[str]:
    found = (dynsec.read(city.place.accounts) or {})["clients"]
    return {one["username"] for one in found} - set(SERVICES)


def key_files(city: EnrolledCity) -> set[str]:
    return {path.name for path in city.place.keys.iterdir()}


def test_every_school_gets_its_own(city: EnrolledCity, capsys: Any) -> None:
    assert city.enrol("--all") == 0
    with city.state() as state:
        held = state.held()
    assert set(held) == set(SCHOOLS) == accounts(city)
    secrets = [text for one in held.values() for text in one.now[2:5]]
    assert len(set(secrets)) == 3 * len(SCHOOLS)
    assert all(SECRET.fullmatch(text) for text in secrets)
    for code, one in held.items():
        assert (city.place.keys / f"{code}.key").read_text().strip() == one.now.line_key
        renewal = json.loads((city.place.renewals / f"{code}.json").read_text())
        assert renewal["password"] == one.now.password
        assert (city.bundles / f"schoolpulse-{code}.zip").exists()
    said = capsys.readouterr()
    assert not SECRET.search(said.out + said.err)


def test_what_collector_and_server_read_is_of_the_wire_s_form(city: EnrolledCity) -> None:
    import msgspec

    city.enrol(SCHOOLS[0])
    path = city.place.renewals / f"{SCHOOLS[0]}.json"
    renewal = msgspec.json.decode(path.read_bytes(), type=Renewal)
    assert renewal.username == SCHOOLS[0]
    assert ca_digest(renewal.ca) == ca_digest(city.place.ca.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_twice_changes_nothing(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    before = city.files()
    capsys.readouterr()
    assert city.enrol("--all") == 0
    assert "没有要做的" in capsys.readouterr().out
    assert city.files() == before


def test_some_then_all_keeps_the_first(city: EnrolledCity) -> None:
    city.enrol(SCHOOLS[1])
    assert accounts(city) == {SCHOOLS[1]}
    with city.state() as state:
        first = state.held()[SCHOOLS[1]]
    city.enrol("--all")
    with city.state() as state:
        assert state.held()[SCHOOLS[1]] == first


def test_lost_files_are_written_again_from_the_state(city: EnrolledCity) -> None:
    city.enrol("--all")
    before = city.files()
    for path in (*city.bundles.iterdir(), *city.place.keys.iterdir()):
        path.unlink()
    (city.place.renewals / f"{SCHOOLS[0]}.json").write_text("{")
    assert city.enrol("check") == 1
    assert city.enrol("--all") == 0
    assert city.files() == before
    assert city.enrol("check") == 0


def test_a_key_that_was_there_stays_the_school_s(city: EnrolledCity) -> None:
    """Its PCs have it, from `lineserver --new-key`."""
    from collector.lineserver import keys

    path = keys.make(city.place.keys, SCHOOLS[0])
    before = path.read_text()
    city.enrol("--all")
    assert path.read_text() == before
    with city.state() as state:
        assert state.held()[SCHOOLS[0]].now.line_key == before.strip()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--all"),
        (("9999999999",), "9999999999"),
        (("123",), "123"),
        (("--all", SCHOOLS[0]), "--all"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    city: EnrolledCity, capsys: Any, words: tuple[str, ...], said: str
) -> None:
    assert city.enrol("add", *words) == 2
    assert said in capsys.readouterr().err
    with city.state() as state:
        assert state.held() == {}


def test_before_setup_it_says_so(bare: EnrolledCity, capsys: Any) -> None:
    bare.file.parent.mkdir(parents=True)
    bare.file.write_text(f'data = "{bare.folder}"\n')
    assert bare.enrol("--all") == 2
    assert "schoolpulse setup" in capsys.readouterr().err


def test_schools_that_left_the_register_are_named_and_stay(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    city.roster(*SCHOOLS[:2])
    capsys.readouterr()
    assert city.enrol("--all") == 0
    said = capsys.readouterr().err
    assert f"enrol revoke {SCHOOLS[2]} {SCHOOLS[3]}" in said
    assert accounts(city) == set(SCHOOLS)
    assert city.enrol("list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["school"] for row in rows if row["name"] is None} == set(SCHOOLS[2:])


def test_revoked_is_out_everywhere_and_comes_back_as_another(
    city: EnrolledCity, capsys: Any
) -> None:
    city.enrol("--all")
    code = SCHOOLS[0]
    assert city.enrol("revoke", code) == 2  # no reason
    assert city.enrol("revoke", code, "--why", "一台电脑被盗") == 0
    assert accounts(city) == set(SCHOOLS[1:])
    assert f"{code}.key" not in key_files(city)
    assert not (city.place.renewals / f"{code}.json").exists()
    assert city.enrol("revoke", code, "--why", "again") == 0
    assert city.enrol(code) == 0
    assert accounts(city) == {*SCHOOLS[1:], f"{code}-2"}
    with city.state() as state:
        acts = [(e.act, e.school, e.detail) for e in state.journal() if e.school == code]
    assert acts == [("enrol", code, "1"), ("revoke", code, "1 一台电脑被盗"), ("enrol", code, "2")]
    # What no longer works is not kept either.
    with closing(sqlite3.connect(city.place.state)) as db:
        old = db.execute("SELECT password FROM credential WHERE ended_ms IS NOT NULL").fetchall()
    assert old == [("",)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_all_never_undoes_a_revocation(
    city: EnrolledCity, capsys: Any, monkeypatch: Any, lang: str
) -> None:
    city.enrol("--all")
    out = SCHOOLS[1]
    city.enrol("revoke", out, "--why", "PC stolen")
    monkeypatch.setenv("SCHOOLPULSE_LANG", lang)
    capsys.readouterr()
    for _ in range(2):
        assert city.enrol("--all") == 0
        said = capsys.readouterr().err
        assert f"schoolpulse enrol {out}\n" in said
        assert {"en": "1 revoked", "zh": "1 所学校已停用"}[lang] in said
        assert accounts(city) == set(SCHOOLS) - {out}
        assert f"{out}.key" not in key_files(city)
    assert city.enrol("check") == 0
    city.enrol(out)
    city.enrol("--all")
    assert accounts(city) == {*SCHOOLS, f"{out}-2"} - {out}
    assert "revoked" not in (said := capsys.readouterr().err)
    assert "已停用" not in said


@pytest.mark.parametrize("more", [(), ("--journal",)])
def test_the_list_breaks_no_code_or_date_at_80_columns(
    city: EnrolledCity, capsys: Any, monkeypatch: Any, more: tuple[str, ...]
) -> None:
    city.enrol("--all")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SCHOOLPULSE_LANG", "en")
    capsys.readouterr()
    city.enrol("list", *more)
    said = capsys.readouterr().out
    assert all(code in said for code in SCHOOLS)
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", said)) >= len(SCHOOLS)
    assert " generation " in said or more
    assert max(map(len, said.splitlines())) <= 80


def test_nobody_takes_a_line_out_of_the_journal(city: EnrolledCity) -> None:
    city.enrol("--all")
    with closing(sqlite3.connect(city.place.state)) as db:
        for statement in ("DELETE FROM journal", "UPDATE journal SET who = 'nobody'"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                db.execute(statement)


def test_check_finds_each_fault_with_its_fix(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    capsys.readouterr()
    place = city.place
    (place.keys / f"{SCHOOLS[0]}.key").write_text("x" * 64)
    place.password("admin").chmod(0o644)
    dynsec.write(place.accounts, [])
    text = city.file.read_text().replace('host = "localhost"', 'host = "127.0.0.2"')
    city.file.write_text(text)
    assert city.enrol("check", "--json") == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    bad = {one["name"]: one for one in checks if one["ok"] is False}
    assert set(bad) == {"权限", "服务器证书", "学校的密钥", "消息服务器的账号"}
    assert all(one["fix"].startswith("schoolpulse") for one in bad.values())
    assert bad["服务器证书"]["fix"] == "schoolpulse setup --alt 127.0.0.2"


def test_only_one_at_a_time(city: EnrolledCity, capsys: Any) -> None:
    from agent.common.lock import Lock

    lock = Lock(city.place.data / "enrol.lock", "test")
    assert city.enrol("--all") == 2
    assert "在运行" in capsys.readouterr().err
    lock.release()
    assert city.enrol("--all") == 0


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


@pytest.mark.parametrize("moment", [0, 1, 4, 5, 7, 8, 9, 11, 12])
@pytest.mark.parametrize("act", ["enrol", "rotate", "revoke"])
def test_killed_anywhere_the_next_run_finishes(
    city: EnrolledCity, monkeypatch: Any, moment: int, act: str
) -> None:
    words = {
        "enrol": ("--all",),
        "rotate": ("rotate", SCHOOLS[0]),
        "revoke": ("revoke", SCHOOLS[0], "--why", "test"),
    }[act]
    if act != "enrol":
        city.enrol("--all")
    real, count = files.replace, iter(range(100))

    def dying(path: Any, data: bytes, **more: Any) -> None:
        if next(count) == moment:
            raise Killed
        real(path, data, **more)

    with monkeypatch.context() as patch:
        patch.setattr(files, "replace", dying)
        patch.setattr(dynsec.files, "replace", dying)
        with suppress(Killed):
            city.enrol(*words)
    if act == "revoke":
        assert city.enrol(*words) == 0
    else:
        assert city.enrol("--all") == 0
    assert city.enrol("check") == 0
    with city.state() as state:
        counts = [len(one.all) for one in state.held().values()]
    assert sum(counts) == {"enrol": 4, "rotate": 5, "revoke": 3}[act]
    assert len(accounts(city)) == sum(counts)

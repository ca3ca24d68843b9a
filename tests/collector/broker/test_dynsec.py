"""The plugin's file: whole, stable, and read by a real Mosquitto (see test_control.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from city_broker import account, accounts
from collector.broker import dynsec
from collector.broker.accounts import Account

A, B = "9901020001", "9901030001"


def test_everything_that_no_role_allows_is_denied() -> None:
    made = dynsec.document(accounts(A))
    assert not any(made["defaultACLAccess"].values())
    assert made["groups"] == []


def test_no_password_stands_in_the_file_and_no_two_salts_are_the_same() -> None:
    text = json.dumps(made := dynsec.document(accounts(A, B)))
    assert "only-for-tests" not in text
    assert len({client["salt"] for client in made["clients"]}) == len(made["clients"])


def test_written_twice_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    assert dynsec.write(path, accounts(A, B))
    before = path.read_bytes()
    assert not dynsec.write(path, reversed(accounts(A, B)))
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_the_changed_account_gets_another_salt(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    dynsec.write(path, accounts(A, B))
    before = dynsec.meaning(dynsec.read(path) or {})["clients"]
    changed = [Account(A, "another-password-of-a", A), *accounts(B, f"{B}-2")]
    assert dynsec.write(path, changed)
    after = dynsec.meaning(dynsec.read(path) or {})["clients"]
    assert {name for name in after if after[name] != before.get(name)} == {A, f"{B}-2"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"clients": 5}',
        b'{"clients": [1, {"username": 7, "salt": 5, "iterations": 101}]}',
        b'{"clients": [{"username": "9901020001", "salt": "?", "iterations": 101}], "roles": {}}',
    ],
)
def test_a_damaged_file_is_written_anew(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "accounts.json"
    path.write_bytes(text)
    assert dynsec.write(path, accounts(A))
    assert not dynsec.write(path, accounts(A))


def test_a_note_tells_one_password_from_another() -> None:
    note = dynsec.note(account(A).password)
    assert dynsec.noted(note, account(A).password)
    assert not dynsec.noted(note, account(B).password)
    assert not dynsec.noted("", account(A).password)
    assert not dynsec.noted(None, account(A).password)

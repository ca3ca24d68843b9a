"""The database's token comes from its file, also when that changes or cannot be read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collector import config
from collector.doctor import secrets
from collector.store import token
from collector.store.base import MisconfiguredError
from collector.store.influx import InfluxStore

NOWHERE = "http://127.0.0.1:9"


def settings(path: Path) -> config.Store:
    return config.Store(kind="influxdb", url=NOWHERE, token_file=str(path))


def test_each_query_asks_with_the_token_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "store.token"
    file.write_text("one\n")
    store = InfluxStore(settings(file))
    sent = []

    def request(*_words: object, headers: dict[str, str], **_more: object) -> None:
        sent.append(headers["Authorization"])

    monkeypatch.setattr(store._reads, "request", request)
    store._ask("b", "SHOW DATABASES", "there")
    file.write_text("two\n")
    store._ask("b", "SHOW DATABASES", "there")
    assert sent == ["Token one", "Token two"]


def test_one_that_cannot_be_read_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    for make in (token.of, InfluxStore):
        with pytest.raises(MisconfiguredError, match=r"store\.token_file.*none"):
            make(settings(tmp_path / "none"))


def test_the_doctor_names_the_secret_the_file_and_the_fix(tmp_path: Path) -> None:
    password, file = tmp_path / "mqtt.password", tmp_path / "store.token"
    password.write_text("p" * 20)
    password.chmod(0o644)
    whole = msgspec.structs.replace(
        config.Config(), mqtt=config.Mqtt(password_file=str(password)), store=settings(file)
    )
    found = list(secrets.checks(whole))
    assert [check.ok for check in found] == [False, False]
    assert found[0].fix == f"chmod 0400 {password}"
    assert str(file) in found[1].detail
    password.chmod(0o400)
    file.write_text("t" * 20)
    file.chmod(0o400)
    assert [check.ok for check in secrets.checks(whole)] == [True, True]
    assert list(secrets.checks(config.Config())) == []

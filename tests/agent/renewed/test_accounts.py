"""Renewed credentials: which account a PC uses, and which it falls back to."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from agent import renewed
from agent.config import Config, Identity
from agent.mqtt.accounts import Account, Accounts
from agent.mqtt.connection import RefusedError, Will
from agent.mqtt.link_types import State
from agent.wire import ca_digest
from pki import Ca

from .conftest import SCHOOL, generations, renewal


def test_a_renewal_is_used_and_outlives_the_process(config: Config, ca: Ca, next_ca: Ca) -> None:
    accounts = renewed.accounts(config)
    both = ca.pem + next_ca.pem
    given = renewal(ca, ca=both, source_key="ab" * 32)
    assert accounts.take(given) == 0
    assert accounts.said == (2, ca_digest(both))
    account = renewed.accounts(config).current
    assert (account.broker.username, account.broker.secret()) == (given.username, given.password)
    assert (account.line_key, account.ca_pem) == (given.line_key, both)
    assert renewed.source_keys(config) == (bytes.fromhex("ab" * 32),)
    assert account.context() is not None


def test_the_same_renewal_again_changes_nothing(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    given = renewal(ca)
    assert accounts.take(given) == 0
    assert accounts.take(given) == math.inf
    assert accounts.take(renewal(ca, 1)) == math.inf
    assert accounts.current.broker.generation == 2


def test_another_ca_of_the_same_generation_is_news(config: Config, ca: Ca, next_ca: Ca) -> None:
    accounts = renewed.accounts(config)
    both = renewal(ca, 1, username=SCHOOL, ca=ca.pem + next_ca.pem)
    assert accounts.take(both) == 0
    assert (
        accounts.take(msgspec.structs.replace(both, ca=next_ca.pem + "\r\n" + ca.pem)) == math.inf
    )
    assert renewed.accounts(config).said == (1, ca_digest(ca.pem + next_ca.pem))


def test_a_newer_bundle_comes_before_an_older_renewal(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca, 2))
    assert generations(config) == [2, 1]
    newer = msgspec.structs.replace(config.broker, username=f"{SCHOOL}-3", generation=3)
    assert generations(msgspec.structs.replace(config, broker=newer)) == [3, 2]


def test_a_pc_that_moved_to_another_school_forgets_its_former_one(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca))
    moved = msgspec.structs.replace(config, school="9963020002")
    assert generations(moved) == [1]


def test_a_pc_without_its_data_folder_has_the_installed_account(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca))
    for file in (config.folder / renewed.FOLDER).iterdir():
        file.unlink()
    assert generations(config) == [1]


def test_the_one_in_use_stays_beside_a_newer_one_that_fails_later(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    accounts.take(renewal(ca, 2))
    accounts.take(renewal(ca, 3))
    assert generations(config) == [3, 2, 1]
    again = renewed.accounts(config)
    again.refused()  # 3 does not work: 2 is in use, and stays when 4 comes
    again.take(renewal(ca, 4))
    assert generations(config) == [4, 2, 1]


def test_the_source_key_of_the_settings_comes_after_renewed_ones(
    config: Config, ca: Ca, tmp_path: Path
) -> None:
    file = tmp_path / "source.key"
    file.write_text("11" * 32 + "\n")
    keyed = msgspec.structs.replace(config, identity=Identity(source_key_file=str(file)))
    assert renewed.source_keys(keyed) == (b"\x11" * 32,)
    renewed.accounts(keyed).take(renewal(ca, source_key="22" * 32))
    assert renewed.source_keys(keyed) == (b"\x22" * 32, b"\x11" * 32)
    file.write_text("no key")
    assert renewed.source_keys(keyed) == (b"\x22" * 32,)


def test_the_account_whose_ca_file_is_gone_is_passed_over(config: Config, ca: Ca) -> None:
    gone = msgspec.structs.replace(config.broker, ca="/nowhere/ca.pem")
    without = msgspec.structs.replace(config, broker=gone)
    with pytest.raises(OSError, match="No such file"):
        renewed.accounts(without).prepare()
    accounts = Accounts((Account(gone), Account(config.broker)))
    accounts.prepare()
    assert accounts.current == Account(config.broker)


@pytest.mark.parametrize("lost", ["ca", "password_file"])
def test_an_account_that_loses_its_files_is_passed_over_later_too(
    config: Config, ca: Ca, tmp_path: Path, lost: str
) -> None:
    file = tmp_path / "lost"
    file.write_text(ca.pem if lost == "ca" else "installed")
    installed = msgspec.structs.replace(config.broker, password="", **{lost: str(file)})
    accounts = renewed.accounts(msgspec.structs.replace(config, broker=installed))
    accounts.take(renewal(ca))
    accounts.refused()
    file.unlink()
    will = Will("topic", b"")
    with pytest.raises(RefusedError, match="lost") as error:
        accounts.connect("x", will, mqtt5=True)
    accounts.failed(error.value, State.IDLE, may_fall_back=True)
    assert accounts.current.broker.generation == 2
    assert accounts.several

"""Renewed credentials on disk: what is kept, what is refused, and what a kill leaves."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import renewed
from agent.common.broker_settings import AgentBroker
from agent.config import Config, Identity
from agent.mqtt.accounts import Account, Accounts
from agent.mqtt.connection import RefusedError, Will
from agent.mqtt.link_types import State
from agent.service import datafiles
from agent.wire import Renewal, ca_digest
from pki import Ca

SCHOOL = "9963020001"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    return Ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def next_ca(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    return Ca(tmp_path_factory.mktemp("next"), "next CA")


@pytest.fixture
def config(tmp_path: Path, ca: Ca) -> Config:
    broker = AgentBroker(
        username=SCHOOL, password="installed", generation=1, tls=True, ca=str(ca.path)
    )
    return Config(school=SCHOOL, data=str(tmp_path / "data"), broker=broker)


def renewal(city: Ca, generation: int = 2, **change: Any) -> Renewal:
    given = Renewal(
        generation=generation,
        username=f"{SCHOOL}-{generation}",
        password=f"password of {generation}",
        line_key=secrets.token_hex(16),
        ca=city.pem,
    )
    return msgspec.structs.replace(given, **change)


def generations(config: Config) -> list[int]:
    """Of the accounts of a new start, the preferred one first."""
    accounts = renewed.accounts(config)
    found = []
    for _ in range(4):
        found.append(accounts.current.broker.generation)
        accounts.refused()
        if accounts.current.broker.generation == found[0]:
            break
    return found


def test_a_renewal_is_used_and_outlives_the_process(config: Config, ca: Ca, next_ca: Ca) -> None:
    accounts = renewed.accounts(config)
    both = ca.pem + next_ca.pem
    given = renewal(ca, ca=both, source_key="ab" * 32)
    assert accounts.take(given)
    assert accounts.said == (2, ca_digest(both))
    account = renewed.accounts(config).current
    assert (account.broker.username, account.broker.secret()) == (given.username, given.password)
    assert (account.line_key, account.ca_pem) == (given.line_key, both)
    assert renewed.source_keys(config) == (bytes.fromhex("ab" * 32),)
    assert account.context() is not None


def test_only_the_account_of_the_service_may_read_it(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca))
    folder = config.folder / renewed.FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [one.stat().st_mode & 0o777 for one in folder.iterdir()] == [0o600]


def test_the_same_renewal_again_changes_nothing(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    given = renewal(ca)
    assert accounts.take(given)
    assert not accounts.take(given)
    assert not accounts.take(renewal(ca, 1))
    assert accounts.current.broker.generation == 2


def test_another_ca_of_the_same_generation_is_news(config: Config, ca: Ca, next_ca: Ca) -> None:
    accounts = renewed.accounts(config)
    both = renewal(ca, 1, username=SCHOOL, ca=ca.pem + next_ca.pem)
    assert accounts.take(both)
    assert not accounts.take(msgspec.structs.replace(both, ca=next_ca.pem + "\r\n" + ca.pem))
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


def test_a_refused_renewal_is_tried_again_only_later(
    config: Config, ca: Ca, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = renewed.accounts(config)
    given = renewal(ca)
    accounts.take(given)
    accounts.refused()
    assert not accounts.take(given)
    assert accounts.take(msgspec.structs.replace(given, password="another"))
    accounts.refused()
    monkeypatch.setattr("agent.mqtt.accounts.RETRY_S", 0.0)
    assert accounts.take(given)


def test_a_folder_that_cannot_be_written_costs_no_renewal(config: Config, ca: Ca) -> None:
    config.folder.mkdir()
    (config.folder / renewed.FOLDER).write_text("a file where the folder should be")
    accounts = renewed.accounts(config)
    assert accounts.take(renewal(ca))
    assert accounts.current.broker.generation == 2
    assert generations(config) == [1]


def leaf(ca: Ca) -> str:
    return ca.sign().certificate.read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"username": "9963020002-2"},
        {"username": ""},
        {"username": "collector"},
        {"password": ""},
        {"password": "two\nlines"},
        {"line_key": "short"},
        {"line_key": "钥" * 40},
        {"source_key": "ab" * 31},
        {"source_key": "zz" * 32},
        {"ca": ""},
        {"ca": "no certificate"},
        {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    ],
    ids=str,
)
def test_what_no_agent_can_use_is_refused(config: Config, ca: Ca, change: Any) -> None:
    accounts = renewed.accounts(config)
    assert not accounts.take(renewal(ca, **change))
    assert generations(config) == [1]


def test_a_ca_file_that_is_cut_or_holds_no_ca_is_refused(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    for pem in (ca.pem[:-40], leaf(ca), ca.pem + ca.pem[:200], ca.pem.replace("M", "N", 3)):
        assert not accounts.take(renewal(ca, ca=pem)), pem
    assert accounts.current.broker.generation == 1


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    given=st.builds(
        Renewal,
        generation=st.integers(1, 2**31 - 1),
        username=st.just(f"{SCHOOL}-9") | TEXT,
        password=TEXT,
        line_key=st.just("k" * 32) | TEXT,
        ca=TEXT | st.binary(max_size=90).map(lambda data: f"-----BEGIN {data!r}"),
        source_key=TEXT,
    )
)
def test_garbage_changes_no_account(config: Config, given: Renewal) -> None:
    accounts = renewed.accounts(config)
    assert not accounts.take(given)
    assert accounts.current == Account(config.broker)
    assert not (config.folder / renewed.FOLDER).exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b"x" * 300_000, b'{"generation":2}', b"\0" * 4096],
    ids=lambda data: repr(data[:20]),
)
def test_a_damaged_file_leaves_the_installed_account(config: Config, ca: Ca, data: bytes) -> None:
    renewed.accounts(config).take(renewal(ca))
    (config.folder / renewed.FOLDER / "renewal.json").write_bytes(data)
    assert generations(config) == [1]
    assert renewed.source_keys(config) == ()


def test_every_bit_of_the_file_may_flip(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca))
    file = config.folder / renewed.FOLDER / "renewal.json"
    whole = file.read_bytes()
    for at in range(0, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        assert generations(config)[-1] == 1


KILLED = """
import json, os, signal, sys
from pathlib import Path
import msgspec
from agent import renewed
from agent.config import Config
from agent.wire import Renewal

config = msgspec.convert(json.loads(sys.argv[1]), Config)
given = msgspec.convert(json.loads(sys.argv[2]), Renewal)
accounts = renewed.accounts(config)
left = int(sys.argv[3])

def hook(event, args):
    global left
    if event in ("open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "os.listdir"):
        if str(config.folder) in str(args[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
assert accounts.take(given)
"""


def test_killed_before_any_of_its_writes_a_whole_set_is_left(config: Config, ca: Ca) -> None:
    """What is on disk then is 2 or 3, whole, with the password of its own."""
    renewed.accounts(config).take(renewal(ca, 2))
    folder = config.folder / renewed.FOLDER
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    given = json.dumps(msgspec.to_builtins(renewal(ca, 3)))
    settings_ = json.dumps(msgspec.to_builtins(config))
    found = []
    for step in range(60):
        for file in folder.iterdir():
            file.unlink()
        for name, data in before.items():
            (folder / name).write_bytes(data)
        argv = [sys.executable, "-c", KILLED, settings_, given, str(step)]
        done = subprocess.run(argv, check=False, capture_output=True, env={**os.environ})
        account = renewed.accounts(config).current
        newest = account.broker.generation
        assert account.broker.secret() == f"password of {newest}"
        assert 2 in generations(config)
        found.append(newest)
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    assert set(found) == {2, 3}
    assert found == sorted(found)


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


def test_uninstalling_for_good_leaves_no_secret(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    accounts.take(renewal(ca, 2))
    accounts.take(renewal(ca, 3))
    (config.folder / renewed.FOLDER / "renewal.json.4711").write_text("left by a kill")
    datafiles.purge(config.folder)
    assert not config.folder.exists()


def test_an_image_of_the_disk_keeps_them(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca))
    datafiles.erase(config.folder)
    assert generations(config) == [2, 1]


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

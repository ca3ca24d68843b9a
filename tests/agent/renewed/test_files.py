"""Renewed credentials on disk: who may read them, and what damage or a kill leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import msgspec
import pytest

from agent import renewed
from agent.config import Config
from agent.service import datafiles
from pki import Ca

from .conftest import generations, renewal


def test_only_the_account_of_the_service_may_read_it(config: Config, ca: Ca) -> None:
    renewed.accounts(config).take(renewal(ca))
    folder = config.folder / renewed.FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [one.stat().st_mode & 0o777 for one in folder.iterdir()] == [0o600]


def test_a_folder_that_cannot_be_written_costs_no_renewal(config: Config, ca: Ca) -> None:
    config.folder.mkdir()
    (config.folder / renewed.FOLDER).write_text("a file where the folder should be")
    accounts = renewed.accounts(config)
    assert accounts.take(renewal(ca)) == 0
    assert accounts.current.broker.generation == 2
    assert generations(config) == [1]


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
assert accounts.take(given) == 0
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

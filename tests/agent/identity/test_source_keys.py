"""Digests of single hardware sources leave a PC under the school's key, or not at all."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import pytest

from agent.identity import identify, write_hardware

KEY, OTHER = secrets.token_bytes(32), secrets.token_bytes(32)
#: What a release without keys made of the tree below.
MACHINE = "7d87a9fa19ed89a5f53c5e9ce1eb0dd1"
UNKEYED = (
    "product_uuid=59ceef6bfc3881a7",
    "product_serial=a3750772e31388cb",
    "board_serial=034a0e88fce55125",
)
VALUES = {
    "product_uuid": "4c4c4544-0042-3510-8057-b7c04f4e3233",
    "product_serial": "7B5WN23",
    "board_serial": "/7B5WN23/CNFCW0012345",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    dmi = tmp_path / "sys/class/dmi/id"
    dmi.mkdir(parents=True)
    for name, value in VALUES.items():
        (dmi / name).write_text(value + "\n")
    return tmp_path


@pytest.mark.parametrize("keys", [(), (KEY,), (OTHER, KEY)], ids=["none", "one", "two"])
def test_the_id_of_existing_pcs_stays_whatever_the_key(root: Path, keys: tuple[bytes, ...]) -> None:
    assert identify(root, keys=keys).machine == MACHINE


def test_without_a_key_no_digest_leaves(root: Path) -> None:
    assert identify(root).digests == ()


def test_with_a_key_no_digest_can_be_found_by_trying(root: Path) -> None:
    found = identify(root, keys=(KEY,)).digests
    assert [one.partition("=")[0] for one in found] == list(VALUES)
    assert not set(found) & set(UNKEYED)
    for name, value in VALUES.items():  # whoever knows value and method, and not the key
        plain = hashlib.blake2b(value.upper().encode(), digest_size=16, person=b"schoolpulse")
        assert f"{name}={plain.hexdigest()[:16]}" in UNKEYED
        assert not [one for one in found if plain.hexdigest()[:8] in one]


def test_two_schools_name_the_same_value_differently(root: Path) -> None:
    mine, theirs = (identify(root, keys=(key,)).digests for key in (KEY, OTHER))
    assert not set(mine) & set(theirs)
    assert mine == identify(root, keys=(KEY, OTHER)).digests


def test_one_value_under_two_sources_has_two_digests(tmp_path: Path) -> None:
    dmi = tmp_path / "sys/class/dmi/id"
    dmi.mkdir(parents=True)
    for name in ("product_serial", "board_serial"):
        (dmi / name).write_text("7B5WN23\n")
    one, two = (text.partition("=")[2] for text in identify(tmp_path, keys=(KEY,)).digests)
    assert one != two


@pytest.mark.parametrize("name", VALUES)
def test_a_policy_excludes_by_any_name_that_a_source_has_had(root: Path, name: str) -> None:
    """By the present key, by one before it, and as agents without a key named it."""
    without = identify(root, exclude=[name]).machine
    assert without != MACHINE
    plain = next(one for one in UNKEYED if one.startswith(name))
    by_key = {one.partition("=")[0]: one for one in identify(root, keys=(KEY,)).digests}
    for named in (plain, by_key[name]):
        found = identify(root, exclude=[named], keys=(OTHER, KEY))
        assert found.machine == without
        assert name not in found.sources
    assert identify(root, exclude=[by_key[name]], keys=(OTHER,)).machine == MACHINE


def test_the_helpers_file_gives_the_same(root: Path) -> None:
    direct = identify(root, keys=(KEY,))
    write_hardware(root)
    assert identify(root, keys=(KEY,)) == direct

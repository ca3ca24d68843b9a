"""Which version may be installed, and which manifest is believed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent.update.manifest import Here, NotInstallable, genuine, wanted
from agent.wire.release import (
    Manifest,
    ReleaseFile,
    ReleaseOffer,
    is_chosen,
    numbers,
    offer_for,
    read_signed,
)
from collector.release import key

SHA = "ab" * 32
FILE = ReleaseFile("0.3.0", "linux", SHA, 10)
HERE = Here("linux", "0.2.0")


@pytest.fixture
def city(tmp_path: Path) -> Path:
    path = tmp_path / "release.key"
    key.make(path)
    return path


def code(error: pytest.ExceptionInfo[NotInstallable]) -> str:
    return error.value.code


def test_only_the_citys_own_manifest_is_believed(city: Path, tmp_path: Path) -> None:
    manifest = Manifest(v=1, serial=4, files=(FILE,))
    signed = key.sign(city, manifest)
    assert genuine(signed, key.public(city), 4) == manifest
    other = key.make(tmp_path / "other.key")
    with pytest.raises(NotInstallable) as found:
        genuine(signed, other, 0)
    assert code(found) == "signature"
    whole = read_signed(signed)
    forged = msgspec.structs.replace(whole, manifest=whole.manifest.replace("0.3.0", "0.3.1"))
    with pytest.raises(NotInstallable) as found:
        genuine(msgspec.json.encode(forged), key.public(city), 0)
    assert code(found) == "signature"
    for junk in (b"", b"{}", b"\xff\xfe", signed[:-20], b'{"manifest":"x","signature":"zz"}'):
        with pytest.raises(NotInstallable) as found:
            genuine(junk, key.public(city), 0)
        assert code(found) == "manifest"


def test_an_older_manifest_is_a_replay(city: Path) -> None:
    before = key.sign(city, Manifest(v=1, serial=3, files=(FILE,)))
    with pytest.raises(NotInstallable) as found:
        genuine(before, key.public(city), 4)
    assert code(found) == "replayed"


@pytest.mark.parametrize(
    ("manifest", "here", "why"),
    [
        (Manifest(v=1, serial=1, files=(FILE,), withdrawn=("0.3",)), HERE, "withdrawn"),
        (Manifest(v=1, serial=1, files=(FILE,)), HERE._replace(refused=("0.3.0",)), "rolled_back"),
        (Manifest(v=1, serial=1, files=(FILE,)), HERE._replace(version="0.3.0"), "not_newer"),
        (Manifest(v=1, serial=1, files=(FILE,)), HERE._replace(version="0.10"), "not_newer"),
        (Manifest(v=1, serial=1, files=(FILE,)), HERE._replace(platform="windows"), "no_file"),
        (Manifest(v=1, serial=1), HERE, "no_file"),
        (
            Manifest(v=1, serial=1, files=(msgspec.structs.replace(FILE, not_before=2000),)),
            HERE,
            "not_yet",
        ),
    ],
)
def test_what_is_not_installed_says_why(manifest: Manifest, here: Here, why: str) -> None:
    with pytest.raises(NotInstallable) as found:
        wanted(manifest, "0.3.0", here, 1000)
    assert code(found) == why


def test_a_newer_version_for_this_system_is_wanted() -> None:
    assert wanted(Manifest(v=1, serial=1, files=(FILE,)), "0.3.0", HERE, 0) == FILE
    with pytest.raises(ValueError, match="no version"):
        numbers("0.3.0\n")


def test_a_share_is_about_its_percent_and_grows() -> None:
    machines = [f"{number:032x}" for number in range(4000)]
    five = {one for one in machines if is_chosen(one, "0.3.0", 5)}
    assert 140 < len(five) < 260
    assert five < {one for one in machines if is_chosen(one, "0.3.0", 20)}
    assert all(is_chosen(one, "0.3.0", 100) for one in machines)
    assert five != {one for one in machines if is_chosen(one, "0.4.0", 5)}
    offers = (ReleaseOffer("0.4.0", "http://s", 5), ReleaseOffer("0.3.0", "http://s"))
    given = {offer.version for one in machines if (offer := offer_for(offers, one))}
    assert given == {"0.4.0", "0.3.0"}

"""The change of any byte is named, and no trick of zip files passes."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from collector.archive import integrity
from collector.archive.container import Members, by_directory, pack, skeleton, starts
from collector.archive.freezing import Done
from collector.archive.opened import MANIFEST, digest

FILES = {"README.txt": b"abc", "a/b.csv": b"", "c.json": b"{}" * 9}


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    lines = "".join(f"{digest(data)}  {name}\n" for name, data in files.items())
    return {**files, MANIFEST: lines.encode()}


SMALL = pack(with_manifest(FILES))


def place(data: bytes, at: int) -> str:
    """Whose byte it is: the member's name, or empty for the end record."""
    entries = by_directory(data)
    assert entries
    for begin, part in skeleton(entries):
        if begin <= at < begin + len(part.data):
            return next((one.name for one in entries if one.name in part.en), "")
    ends = starts(entries)[1:]
    return next(one.name for one, end in zip(entries, ends, strict=True) if at < end)


def flipped(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def test_a_sound_archive_has_no_fault() -> None:
    entries, faults = integrity.faults(SMALL)
    assert faults == []
    assert [one.name for one in entries] == [*FILES, MANIFEST]


@pytest.mark.parametrize("mask", [1, 0x20, 0x80, 0xFF])
def test_every_byte_of_a_small_archive_names_its_part(mask: int) -> None:
    for at in range(len(SMALL)):
        _, faults = integrity.faults(flipped(SMALL, at, mask))
        assert len(faults) == 1, (at, faults)
        assert (place(SMALL, at) or "目录结束记录") in faults[0], (at, faults)


@pytest.mark.slow
def test_a_thousand_flips_of_a_frozen_town_are_named(frozen_town: Done) -> None:
    data, dice = frozen_town.path.read_bytes(), random.Random(13)
    for at in (dice.randrange(len(data)) for _ in range(1000)):
        _, faults = integrity.faults(flipped(data, at, 1 << dice.randrange(8)))
        assert len(faults) == 1, (at, faults)
        assert (place(data, at) or "目录结束记录") in faults[0], (at, faults)


@pytest.mark.parametrize("length", [*range(22), 23, 60, len(SMALL) // 2, len(SMALL) - 1])
def test_what_is_cut_off_is_said(length: int) -> None:
    assert integrity.faults(SMALL[:length])[1]


@pytest.mark.parametrize(
    ("hurt", "said"),
    [
        (lambda data: data + b"x", "末尾多出 1 个字节"),
        (lambda data: data + data, "末尾多出"),
        (lambda data: b"#!" + data, "之前多出 2 个字节"),
        (lambda data: data + b"\0" * 22, "末尾多出 22 个字节"),
        (lambda data: data[:-2] + struct.pack("<H", 5) + b"hello", "目录结束记录"),
        (lambda data: b"", "不是存档"),
        (lambda data: b"\0" * 1000, "不是存档"),
        (lambda data: data[::-1], "不是存档"),
    ],
)
def test_what_stands_around_an_archive(hurt: Callable[[bytes], bytes], said: str) -> None:
    _, faults = integrity.faults(hurt(SMALL))
    assert said in "；".join(faults)


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/etc/passwd.txt", "a\\b.csv", "C:x.csv", "a//b.csv", "x", "a/../b.csv"]
)
def test_no_path_leads_out_of_a_folder(name: str) -> None:
    _, faults = integrity.faults(pack(with_manifest({**FILES, name: b"x"})))
    assert any(repr(name) in fault for fault in faults)


def _zipped(members: list[tuple[str, bytes]], method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in members:
            made.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_that_another_program_packed_anew_is_not_as_it_was(method: int) -> None:
    assert integrity.faults(_zipped(list(with_manifest(FILES).items()), method))[1]


def test_a_bomb_is_not_unpacked() -> None:
    bomb = _zipped([("bomb.csv", b"\0" * 50_000_000)], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    assert integrity.faults(bomb)[1]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice() -> None:
    twice = _zipped([("a.csv", b"1"), ("a.csv", b"2")], zipfile.ZIP_STORED)
    assert integrity.faults(twice)[1]
    one, other = pack({"a.csv": b"1"}), pack({"a.csv": b"1", "b.csv": b"2"})
    renamed = other.replace(b"b.csv", b"a.csv")
    assert len(one) < len(renamed)
    assert any("有两个" in fault for fault in integrity.faults(renamed)[1])


def test_a_manifest_that_does_not_fit_the_members() -> None:
    good = with_manifest(FILES)
    wrong = {
        "与清单不符": {**good, "c.json": b"{}"},
        "清单中的文件不在：c.json": {k: v for k, v in good.items() if k != "c.json"},
        "new.csv 与清单不符": {"new.csv": b"1", **good},
        f"没有 {MANIFEST}": FILES,
        "的写法被改动": {**good, MANIFEST: good[MANIFEST] + b"# a remark\n"},
    }
    for said, members in wrong.items():
        faults = integrity.faults(pack(members))[1]
        assert any(said in fault for fault in faults), (said, faults)


def test_members_in_another_order() -> None:
    good = with_manifest(FILES)
    other = pack(dict(reversed(list(good.items()))))
    assert integrity.faults(other)[1]


def test_a_check_sum_that_was_put_right_is_found_by_the_manifest(frozen_town: Done) -> None:
    data = frozen_town.path.read_bytes()
    old, new = b"verified", b"declared"
    at = data.index(old, data.index(b"indicator,school,school_name"))
    hurt = data[:at] + new + data[at + len(old) :]
    entries = by_directory(hurt)
    assert entries
    forged = pack(dict(Members(hurt, entries)))
    assert zlib.crc32(forged) != zlib.crc32(data)
    assert integrity.faults(forged)[1] == ["verdicts.csv 与清单不符"]


def test_a_header_that_claims_more_than_there_is() -> None:
    data = bytearray(SMALL)
    data[18:26] = struct.pack("<2I", 2**31, 2**31)
    assert "README.txt" in integrity.faults(bytes(data))[1][0]

"""A file that is replaced is the old one or the new one, whatever happens meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import services
from agent.common import files


def test_a_file_is_replaced_whole_and_readable_by_everybody(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    for data, durable in ((b"one", True), (b"two", False)):
        files.replace(path, data, durable=durable)
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_mode_the_umask_decides_who_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.replace(tmp_path / "status.json", b"x", mode=None)
    finally:
        os.umask(before)
    assert (tmp_path / "status.json").stat().st_mode & 0o777 == 0o600


def test_a_link_that_lies_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    """Planted in a shared folder, under the name that our number gives."""
    theirs, path = tmp_path / "passwd", tmp_path / "report.csv"
    theirs.write_bytes(b"root")
    path.with_name(f"report.csv.{os.getpid()}").symlink_to(theirs)
    files.replace(path, b"new")
    assert (path.read_bytes(), path.is_symlink()) == (b"new", False)
    assert theirs.read_bytes() == b"root"


def test_only_what_must_survive_a_power_cut_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    files.replace(tmp_path / "status.json", b"x", durable=False)
    assert flushed == []
    files.replace(tmp_path / "again.json", b"x")
    assert len(flushed) == 2, "the bytes, then the name"


def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path) -> None:
    with services.small_disk(tmp_path / "disk") as disk:
        path = disk / "facts.json"
        files.replace(path, b"old")
        services.fill(disk)
        with pytest.raises(OSError, match="No space"):
            files.replace(path, b"x" * 1_000_000)
        assert path.read_bytes() == b"old"
        assert sorted(disk.iterdir()) == [path, disk / "others"]


def test_what_a_killed_process_left_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.with_name(f"facts.json.{os.getpid()}").write_bytes(b"a part of more")
    files.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]

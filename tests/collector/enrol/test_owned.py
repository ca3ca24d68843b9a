"""Files of secrets: root works in folders that services own, and follows no link of theirs."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.common import files, ownership
from agent.common.command_line import RefusedError
from agent.common.lock import Lock
from agent.common.sqlite import open_file
from collector.enrol import owned
from collector.enrol.owned import Kind
from collector.lineserver import keys
from collector.release import shelf

#: Any other user's number: of nobody where there is one.
OTHER = 65534
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@as_root
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_of_a_service_does_not_lead_root_to_another_s_files(
    tmp_path: Path, kind: str
) -> None:
    target, link = tmp_path / "theirs", tmp_path / "renewals"
    target.mkdir() if kind == "folder" else target.write_bytes(b"data")
    target.chmod(0o700)
    link.symlink_to(target)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    bring = owned.folder if kind == "folder" else lambda at, of: owned.put(at, b"data", of)
    with pytest.raises(OSError, match="renewals"):
        bring(link, Kind(0o755))
    assert mode(target) == 0o700


@as_root
@pytest.mark.parametrize("chain", [False, True])
def test_what_is_put_there_meanwhile_keeps_its_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain: bool
) -> None:
    """The service puts a link in the place of its file, between look and change."""
    target, file = tmp_path / "shadow", tmp_path / "state.db"
    target.write_bytes(b"secret")
    target.chmod(0o600)
    file.write_bytes(b"")
    at = tmp_path / "link" if chain else file
    if chain:
        at.symlink_to(file)
    seen, swapped = os.fstat, []

    def look(handle: int) -> os.stat_result:
        found = seen(handle)
        if stat.S_ISREG(found.st_mode) and not swapped:
            swapped.append(file.rename(tmp_path / "aside"))
            file.symlink_to(target)
        return found

    monkeypatch.setattr(os, "fstat", look)
    assert owned.protect(at, Kind(0o666))
    assert swapped
    assert mode(target) == 0o600
    assert mode(tmp_path / "aside") == 0o666


@as_root
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("write", [owned.put, None])
def test_a_folder_above_that_a_service_swaps_leads_nowhere(
    tmp_path: Path, write: Callable[..., bool] | None, depth: int
) -> None:
    """It owns the folder above, and puts a link to root's folder in the place of its own."""
    theirs, roots = tmp_path / "service", tmp_path / "etc" / "deep"
    (theirs / "keys" / "deep").mkdir(parents=True)
    roots.mkdir(parents=True)
    (roots / "passwd").write_bytes(b"root")
    (roots / "passwd").chmod(0o600)
    at = theirs / "keys" / "deep" / "passwd" if depth == 2 else theirs / "keys" / "passwd"
    (theirs / "keys").rename(theirs / "aside")
    (theirs / "keys").symlink_to(roots.parent if depth == 2 else roots)
    os.chown(theirs / "keys", OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(OSError, match=f"{OTHER}.*passwd|{OTHER}.*keys"):
        write(at, b"mine", Kind(0o666)) if write else owned.protect(at, Kind(0o666))
    assert (roots / "passwd").read_bytes() == b"root"
    assert mode(roots / "passwd") == 0o600
    assert [file.name for file in roots.iterdir()] == ["passwd"]


@as_root
def test_a_folder_swapped_during_the_write_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "keys", tmp_path / "etc"
    ours.mkdir()
    theirs.mkdir()
    really = os.fsync

    def swap(handle: int) -> None:
        really(handle)
        if not ours.is_symlink():
            ours.rename(tmp_path / "aside")
            ours.symlink_to(theirs)
            os.chown(ours, OTHER, OTHER, follow_symlinks=False)

    monkeypatch.setattr(os, "fsync", swap)
    with pytest.raises(OSError, match=f"{OTHER}.*x.key"):
        owned.put(ours / "x.key", b"secret", Kind(0o600))
    assert list(theirs.iterdir()) == []
    assert (tmp_path / "aside" / "x.key").read_bytes() == b"secret"


@as_root
def test_what_fails_in_a_folder_is_named_by_its_own_path(tmp_path: Path) -> None:
    (tmp_path / "keys" / "x.key").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=re.escape(f"'{tmp_path}/gone'")):
        owned.put(tmp_path / "gone" / "x.key", b"secret", Kind(0o600))
    with pytest.raises(IsADirectoryError, match=re.escape(f"{tmp_path}/keys/x.key")) as found:
        files.replace(tmp_path / "keys" / "x.key", b"secret")
    assert not str(found.value).endswith("None")
    assert "/proc/" not in str(found.value)


@as_root
def test_a_new_folder_below_a_service_s_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "etc")
    os.chown(tmp_path / "data", OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(OSError, match="data"):
        ownership.make_folder(tmp_path / "data" / "a" / "b")
    with pytest.raises(OSError, match="data"):
        ownership.new_file(tmp_path / "data" / "x.db")
    with pytest.raises(OSError, match="data"):
        owned.folder(tmp_path / "data" / "a", Kind(0o755))
    assert list((tmp_path / "etc").iterdir()) == []


@as_root
@pytest.mark.parametrize("there", [True, False])
def test_a_database_or_a_lock_is_not_made_or_opened_by_a_service_s_link(
    tmp_path: Path, there: bool
) -> None:
    target, link = tmp_path / "theirs", tmp_path / "x.db"
    if there:
        with closing(sqlite3.connect(target)) as db:
            db.execute("CREATE TABLE kept (value TEXT)")
    before = target.read_bytes() if there else None
    link.symlink_to(target)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    for opening in (
        ownership.new_file,
        lambda path: open_file(path, ["CREATE TABLE ours (value TEXT)"]),
        lambda path: Lock(path, "test"),
    ):
        with pytest.raises(OSError, match=f"{OTHER}.*x.db"):
            opening(link)
    assert (target.read_bytes() if target.exists() else None) == before


@as_root
def test_a_link_of_ours_to_a_file_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "x.db").symlink_to(tmp_path / "disk.db")
    with closing(open_file(tmp_path / "x.db", ["CREATE TABLE ours (value TEXT)"])):
        assert (tmp_path / "disk.db").exists()


@as_root
def test_a_held_folder_is_the_same_one_for_whatever_is_done_in_it(tmp_path: Path) -> None:
    """Also where it was moved away meanwhile, and another stands in its place."""
    ours = tmp_path / "ours"
    ours.mkdir()
    with ownership.held(ours) as folder:
        ours.rename(tmp_path / "aside")
        ours.mkdir()
        (ours / "file").write_bytes(b"another's")
        (ours / "file").chmod(0o600)
        owned.put(folder / "file", b"ours", Kind(0o644))
        owned.folder(folder / "more", Kind(0o711))
    assert sorted(path.name for path in (tmp_path / "aside").iterdir()) == ["file", "more"]
    assert (tmp_path / "aside/file").read_bytes() == b"ours"
    assert mode(tmp_path / "aside/more") == 0o711
    assert [path.name for path in ours.iterdir()] == ["file"]
    assert ((ours / "file").read_bytes(), mode(ours / "file")) == (b"another's", 0o600)


@as_root
def test_keys_and_packages_go_into_no_folder_that_a_service_s_link_names(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "etc")
    os.chown(tmp_path / "data", OTHER, OTHER, follow_symlinks=False)
    package = tmp_path / "setup.exe"
    package.write_bytes(b"MZ")
    with pytest.raises(RefusedError, match=f"{OTHER}"):
        keys.make(tmp_path / "data", "9900000001")
    with pytest.raises(RefusedError, match=f"{OTHER}"):
        shelf.put(tmp_path / "data", package, "1.0.0", 0)
    assert list((tmp_path / "etc").iterdir()) == []


def test_links_that_we_made_are_followed_and_a_ring_of_them_is_refused(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(0o755)
    (tmp_path / "mount").symlink_to("disk")
    (tmp_path / "data").symlink_to("mount")
    assert owned.protect(tmp_path / "data", Kind(0o700))
    assert mode(tmp_path / "disk") == 0o700
    (tmp_path / "disk").rmdir()
    (tmp_path / "disk").symlink_to("data")
    with pytest.raises(OSError, match="Too many levels"):
        owned.protect(tmp_path / "data", Kind(0o755))


def test_a_link_that_we_made_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "disk", tmp_path / "data"
    target.mkdir(0o755)
    link.symlink_to(target)
    assert owned.folder(link, Kind(0o750))
    assert mode(target) == 0o750
    assert not owned.folder(link, Kind(0o750))


def test_a_pipe_in_a_file_s_place_stops_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.key", 0o640)
    assert owned.protect(tmp_path / "x.key", Kind(0o600))


def test_the_locks_of_an_open_database_stay(tmp_path: Path) -> None:
    """Another process must still see that it is in use, or it removes what was committed."""
    path = tmp_path / "enrol.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("BEGIN EXCLUSIVE")
        assert owned.protect(path, Kind(0o600))
        code = (
            f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN EXCLUSIVE')"
        )
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert b"locked" in other.stderr


@pytest.mark.parametrize("mask", [0, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        for wanted in (0o400, 0o600, 0o640, 0o644):
            owned.put(tmp_path / f"{wanted:o}", b"x", Kind(wanted))
            assert mode(tmp_path / f"{wanted:o}") == wanted
        owned.folder(tmp_path / "keys", Kind(0o2750))
        assert mode(tmp_path / "keys") == 0o2750
    finally:
        os.umask(before)

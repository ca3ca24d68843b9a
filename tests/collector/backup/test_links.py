"""Root saves and restores a service's folder, in which the service may put links at any moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_city import Place, Run

from .calls import restored, saved

#: Any other user's number.
OTHER = 65534
pytestmark = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root writes with more rights"
)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A folder of root's, with a file."""
    made = tmp_path / "roots"
    made.mkdir()
    (made / "shadow").write_bytes(b"root's")
    return made


def theirs(link: Path, target: Path) -> None:
    """A link of the service's."""
    link.symlink_to(target)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)


def test_another_s_file_is_not_saved_by_a_link(
    run: Run, place: Place, passphrase: Path, etc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs(place.data / "inspections/plan.pdf", etc / "shadow")
    file = place.root.parent / "x.backup"
    words = ("backup", file, "--config", place.settings, "--passphrase-file", passphrase)
    assert run(*words) != 0
    assert "plan.pdf" in capsys.readouterr().err
    assert not file.exists()
    (place.data / "inspections/plan.pdf").unlink()
    (place.data / "inspections/ours.pdf").symlink_to(etc / "shadow")  # root's own is meant
    assert run(*words) == 0


@pytest.mark.parametrize("name", ["inspections", "renewals", "archives"])
def test_a_folder_swapped_while_a_file_is_restored_leads_nowhere(
    run: Run, place: Place, other: Place, passphrase: Path, etc: Path, name: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file, really, swapped = saved(run, place, passphrase), os.fsync, []

    def swap(handle: int) -> None:
        really(handle)
        found = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if found.parent == other.data / name and not swapped:
            swapped.append(found.parent.rename(other.root / "aside"))
            theirs(other.data / name, etc)

    monkeypatch.setattr(os, "fsync", swap)
    restored(run, file, other, passphrase)
    assert swapped
    assert [path.name for path in etc.iterdir()] == ["shadow"]
    assert len(list((other.root / "aside").iterdir())) == 1


def test_nothing_of_another_folder_is_set_aside_or_written_through_a_link(
    run: Run, place: Place, other: Place, passphrase: Path, etc: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = saved(run, place, passphrase)
    assert restored(run, file, other, passphrase) == 0
    theirs(other.data / "restore.unfinished", etc / "shadow")
    assert restored(run, file, other, passphrase, "--replace") == 0
    assert (etc / "shadow").read_bytes() == b"root's"
    (other.data / "lineserver").rename(other.root / "aside")
    theirs(other.data / "lineserver", etc)
    assert restored(run, file, other, passphrase, "--replace") != 0
    assert "lineserver" in capsys.readouterr().err
    assert [path.name for path in etc.iterdir()] == ["shadow"]


def test_what_is_set_aside_outside_the_data_folder_goes_through_no_link(
    run: Run, place: Place, other: Place, passphrase: Path, etc: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The service guesses the name of the folder that will hold what was there."""
    file = saved(run, place, passphrase)
    assert restored(run, file, other, passphrase) == 0
    outside = next(other.root.rglob("*.key")).parent
    assert not outside.is_relative_to(other.data)
    monkeypatch.setattr("collector.backup.restoring.time.strftime", lambda form: "20260301-120000")
    theirs(outside / "before-restore-20260301-120000", etc)
    assert restored(run, file, other, passphrase, "--replace") != 0
    assert "before-restore" in capsys.readouterr().err
    assert [path.name for path in etc.iterdir()] == ["shadow"]

"""A program that others can change is not run as a service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.service.program import open_to_others

ME = os.geteuid() if hasattr(os, "geteuid") else 0

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no modes")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An interpreter and its library; the folders above are pytest's."""
    folder = tmp_path / "opt/bin"
    folder.mkdir(parents=True)
    (tmp_path / "opt").chmod(0o755)
    folder.chmod(0o755)
    library = tmp_path / "opt/lib/agent"
    library.mkdir(parents=True)
    (library / "cli.py").touch(0o644)
    file = folder / "python"
    file.touch(0o755)
    return file


def found(*places: Path) -> list[str]:
    return list(open_to_others(places, owners=(0, ME)))


def test_one_that_is_ours_alone_is_fine(program: Path) -> None:
    assert found(program, program.parents[1] / "lib") == []


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o722])
@pytest.mark.parametrize("part", ["", "bin", "bin/python", "lib", "lib/agent/cli.py"])
def test_each_part_of_it_and_each_folder_above_counts(program: Path, part: str, mode: int) -> None:
    top = program.parents[1]
    (top / part).chmod(mode)
    text = "\n".join(found(program, top / "lib"))
    assert str(top / part) in text
    assert f"{mode:04o}" in text


@pytest.mark.skipif(ME != 0, reason="only root can give files away")
def test_a_group_and_another_owner_count(program: Path) -> None:
    program.chmod(0o775)
    assert found(program) == []  # root's own group
    os.chown(program, 0, 61_234)
    program.chmod(0o775)
    assert "0775" in found(program)[0]
    program.chmod(0o755)
    assert found(program) == []
    os.chown(program, 61_234, 0)
    assert "61234" in found(program)[0]


def test_what_a_link_leads_to_counts(program: Path, tmp_path: Path) -> None:
    """A venv's python is a link."""
    link = tmp_path / "opt/bin/python3"
    link.symlink_to(program)
    assert found(link) == []
    program.chmod(0o777)
    assert found(link) != []


def test_a_folder_like_tmp_in_which_each_keeps_his_own_is_fine(program: Path) -> None:
    program.parent.chmod(0o1777)
    assert found(program) == []

"""Each secret file that the settings name is looked at: readable, whole, and nobody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agent.common import language
from agent.common.checks import Check
from collector.config import Config, Web
from collector.doctor import secrets
from collector.web import passwords


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    language.choose("en")
    yield
    language.choose("zh")


def checks(path: Path) -> list[Check]:
    return list(secrets.checks(msgspec.structs.replace(Config(), web=Web(password_file=str(path)))))


def test_a_sound_file_of_passwords(tmp_path: Path) -> None:
    path = tmp_path / "web.password"
    passwords.add(path, "reader", "*", "only for this test")
    path.chmod(0o400)
    [found] = checks(path)
    assert found.name == "digests of the pages' passwords"
    assert found.ok


@pytest.mark.parametrize(("mode", "who"), [(0o444, "everybody"), (0o646, "everybody")])
def test_one_that_others_read_is_named_with_the_fix(tmp_path: Path, mode: int, who: str) -> None:
    path = tmp_path / "web.password"
    passwords.add(path, "reader", "*", "only for this test")
    os.chmod(path, mode)
    [found] = checks(path)
    assert found.ok is False
    assert who in found.detail
    assert found.fix == f"chmod 0400 {path}"


@pytest.mark.parametrize("text", [None, "", "reader\n", "a:b:c\n", "\xff"])
def test_one_that_is_missing_or_broken_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "web.password"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    [found] = checks(path)
    assert found.ok is False
    assert str(path) in found.detail
    assert found.fix

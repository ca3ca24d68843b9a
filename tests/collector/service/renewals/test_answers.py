"""A PC that is behind, as its hello says, gets the renewal in the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import wire
from collector.enrol import seen
from collector.service.renewals import Renewals

from .conftest import CA, PC, SCHOOL, hello, put, renewal


@pytest.mark.parametrize(
    ("credential", "ca", "behind"),
    [
        (0, "", True), (1, "", True), (2, "", False), (3, "", False),
        (2, "ours", False), (2, "0" * 16, True), (1, "ours", True),
    ],
)  # fmt: skip
def test_who_is_behind_gets_it(
    running: Renewals, tmp_path: Path, credential: int, ca: str, behind: bool
) -> None:
    put(tmp_path, renewal())
    ca = wire.ca_digest(CA) if ca == "ours" else ca
    assert hello(running, PC[0], credential, ca) == (renewal() if behind else None)


def test_at_the_first_generation_an_old_bundle_is_up_to_date(
    running: Renewals, tmp_path: Path
) -> None:
    put(tmp_path, renewal(1))
    assert hello(running, PC[0], 0) is None


def test_a_school_without_a_credential_of_ours_is_not_written_down(
    running: Renewals, tmp_path: Path
) -> None:
    """Else whoever may speak as some school fills the disk with codes."""
    assert hello(running, PC[0], 0) is None
    running.stop()
    assert seen.read(tmp_path / "credentials.db") == {}


def test_what_they_said_is_kept_and_the_boot_with_it(running: Renewals, tmp_path: Path) -> None:
    put(tmp_path, renewal())
    hello(running, PC[0], 1)
    hello(running, PC[0], 2)
    hello(running, PC[1], 2, ca="d" * 16)
    running.stop()
    rows = {row.machine: row for row in seen.read(tmp_path / "credentials.db")[SCHOOL]}
    assert (rows[PC[0]].generation, bool(rows[PC[0]].kept)) == (2, False)
    assert (rows[PC[1]].generation, bool(rows[PC[1]].kept), rows[PC[1]].ca) == (2, True, "d" * 16)

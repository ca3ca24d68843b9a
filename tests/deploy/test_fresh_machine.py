"""`setup` on a machine that has never seen it, with its real folders and a real `useradd`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import composed

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="mount namespaces need root"),
]


def test_the_services_folder_is_theirs_from_the_first_run_on(tmp_path: Path) -> None:
    """Nobody gives it to them later where no systemd does: with compose, or started by hand."""
    with composed.machine(tmp_path / "machine", {"10.94.0.1": "broker.city"}) as machine:
        words = "schoolpulse setup --name broker.city --store influxdb --compose deploy"
        assert "system user schoolpulse" in machine.run(words)
        named = machine.run("find /var/lib/schoolpulse -printf '%u %m %P\\n'").splitlines()
        others = [line for line in named if line.split()[0] != "schoolpulse"]
        assert others == ["root 600 release.key"]  # signs for every PC: not the services'
        assert any(line.endswith("enrol.lock") for line in named)
        assert "nothing to do" in machine.run(words)

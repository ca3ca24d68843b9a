"""Reports that the pages make: whoever ran them first, the service can make the next ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bystander import until
from collector.web.making import Making, Wanted

_SERVICE = 12_345


class Writes:
    """In place of `schoolpulse report`: writes a file of it."""

    def run(self, lang: str, arguments: Sequence[str], seconds: float) -> Any:
        folder = Path(arguments[arguments.index("--out") + 1])
        (folder / "schoolpulse-2026.html").write_text(lang)
        return SimpleNamespace(code=0, error="")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_folders_made_by_root_are_the_data_folders_owner_s(tmp_path: Path) -> None:
    os.chown(tmp_path, _SERVICE, _SERVICE)
    making: Any = Making(tmp_path / "web/reports", Writes(), simulated=False)  # type: ignore[arg-type]
    making.start()
    wanted = Wanted(2026, "", "zh")
    until(lambda: making.made(wanted, "").files, "the report")
    making.stop()
    made = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert {path.name for path in made} == {"web", "reports", "zh", "city", "2026"}
    assert {path.stat().st_uid for path in made} == {_SERVICE}

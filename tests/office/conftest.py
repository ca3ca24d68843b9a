"""LibreOffice, headless, with a profile of its own: no other instance is disturbed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from judged_town import new_town, town

__all__ = ["new_town", "town"]  # fixtures

Convert = Callable[[str, bytes, str], list[Path]]


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made at the first start, which takes its time."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture
def convert(profile: Path, tmp_path: Path) -> Convert:
    """Open a file in LibreOffice and save it as something else: the files that it wrote."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")

    def _convert(name: str, data: bytes, kind: str) -> list[Path]:
        (tmp_path / name).write_bytes(data)
        out = tmp_path / "out"
        subprocess.run(
            [
                program, f"-env:UserInstallation={profile.as_uri()}", "--headless",
                "--convert-to", kind, "--outdir", str(out), str(tmp_path / name),
            ],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        return sorted(out.iterdir())

    return _convert

"""`pip install .` in a fresh environment, and nothing else: what a school PC gets."""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
_OURS_ALONE = shutil.ignore_patterns(".venv", ".git", "var", "build")


def make(home: Path) -> Path:
    """Install below `home`; the folder of the programs.

    Raises:
        CalledProcessError: pip failed; its own words stand on stderr.
    """
    source = home / "source"
    shutil.copytree(ROOT, source, ignore=_OURS_ALONE)
    venv.create(home / "venv", with_pip=True)
    scripts = home / "venv/bin"
    pip = [scripts / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", source / "constraints.txt", source], check=True)
    return scripts

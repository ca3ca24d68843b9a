"""What the helper has others do: a virtual environment, pip, systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

_WHEEL = re.compile(r"schoolpulse-agent/wheels/([A-Za-z0-9_.+-]+\.whl)")
_BUILD_S = 900.0
UNIT = "schoolpulse-agent.service"


class Programs:
    """Of this system."""

    def build(self, package: Path, target: Path, version: str, work: Path) -> None:
        """Install the package's wheels into a new environment at `target`, and try it.

        Raises:
            OSError, ValueError: it does not work; nothing of it is left.
        """
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)
        try:
            wheels = work / "wheels"
            wheels.mkdir(parents=True)
            self._unpack(package, wheels)
            self._run(sys.executable, "-m", "venv", str(target))
            python = str(target / "bin/python")
            self._run(
                python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                "--no-index", "--find-links", str(wheels), f"schoolpulse=={version}",
            )  # fmt: skip
            said = self._run(python, "-m", "agent.cli", "--version").split()
            if said[-1:] != [version]:
                raise ValueError(f"the new program calls itself {said[-1:]}, not {version}")
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def restart(self) -> None:
        """Have the agent go on as the version in use; what fails shows in its silence."""
        call = ["systemctl", "restart", UNIT]
        subprocess.run(call, check=False, timeout=120)  # noqa: S603

    def restarts(self) -> int:
        """How often systemd has started it anew since then."""
        call = ["systemctl", "show", "--property=NRestarts", "--value", UNIT]
        done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603
        return int(done.stdout) if done.stdout.strip().isdigit() else 0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        threading.Event().wait(seconds)

    def _unpack(self, package: Path, wheels: Path) -> None:
        try:
            with zipfile.ZipFile(package) as archive:
                for name in archive.namelist():
                    if match := _WHEEL.fullmatch(name):
                        with archive.open(name) as source, (wheels / match[1]).open("xb") as out:
                            shutil.copyfileobj(source, out)
        except zipfile.BadZipFile as error:
            raise ValueError(str(error)) from error

    def _run(self, *words: str) -> str:
        call = list(words)
        try:
            done = subprocess.run(  # noqa: S603 - our own program, and checked files
                call, capture_output=True, text=True, check=False, timeout=_BUILD_S, cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            )  # fmt: skip
        except subprocess.SubprocessError as error:
            raise OSError(str(error)) from error
        if done.returncode:
            raise OSError(f"{words[2:4]}: {done.stderr.strip()[-300:]}")
        return done.stdout

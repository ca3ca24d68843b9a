"""`make requirements`: the files that installers may take, each by version and SHA-256.

Three lists in requirements/: what goes into the image, what into an agent's offline bundle, what
the Windows installer is frozen from. Each holds every library with the hashes of its wheels for
the systems that the list serves, and no address: pip takes a file from any index or folder, and
refuses one of another hash (`pip install --require-hashes`). Versions are those of constraints.txt.

Usage: python deploy/requirements.py [NAME ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
OUT = ROOT / "requirements"
LINUX = ("manylinux_2_28", "manylinux_2_24", "manylinux_2_17", "manylinux2014", "manylinux_2_5")


class System(NamedTuple):
    """What pip is asked for: platforms, best first, and a version of Python."""

    platforms: tuple[str, ...]
    python: str


class List(NamedTuple):
    """One file: what is asked for, where it runs, and why it is there."""

    wanted: Sequence[str]
    systems: Sequence[System]
    why: str


def _linux(machine: str, python: str) -> System:
    return System(tuple(f"{name}_{machine}" for name in LINUX), python)


def lists() -> dict[str, List]:
    """The lists by name, from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    agent, extras = project["dependencies"], project["optional-dependencies"]
    machines, windows = ("x86_64", "aarch64"), ("win_amd64",)
    pythons = ("3.11", "3.12", "3.13")
    return {
        "collector": List(
            [*agent, *extras["collector"], "setuptools"],
            [_linux(machine, "3.11") for machine in machines],
            "the image of deploy/Dockerfile; setuptools builds our own wheel there",
        ),
        "agent": List(
            agent,
            [
                # As deploy/offline/bundle.sh asks: what runs on old systems too.
                *(
                    System((f"manylinux2014_{machine}",), python)
                    for python in pythons
                    for machine in machines
                ),
                *(System(windows, python) for python in pythons),
            ],
            "the agent's offline bundle",
        ),
        "windows": List(
            [*agent, "pyinstaller", "pywin32-ctypes", "pefile", "altgraph"],
            [System(windows, "3.11")],
            "the installer for Windows, frozen from these",
        ),
    }


def made(name: str, wanted: List) -> str:
    """The list as a file."""
    hashes: dict[str, set[str]] = {}
    for system in wanted.systems:
        for pin, digest in _resolved(wanted.wanted, system):
            hashes.setdefault(pin, set()).add(digest)
    head = f"# Made by `make requirements`, not by hand. For {wanted.why}.\n"
    return head + "".join(
        f"{pin}" + "".join(f" \\\n    --hash=sha256:{one}" for one in sorted(digests)) + "\n"
        for pin, digests in sorted(hashes.items(), key=lambda item: item[0].lower())
    )


def _resolved(wanted: Sequence[str], system: System) -> Iterator[tuple[str, str]]:
    """Each library that pip would take there, as `name==version`, and its file's SHA-256."""
    for entry in _report(wanted, system)["install"]:
        digest = entry["download_info"]["archive_info"]["hashes"]["sha256"]
        yield f"{entry['metadata']['name']}=={entry['metadata']['version']}", digest


def _report(wanted: Sequence[str], system: System) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        argv = [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--dry-run", "--ignore-installed", "--report", "-", "--target", folder,
            "--only-binary=:all:", "--python-version", system.python, "--implementation", "cp",
            "-c", str(ROOT / "constraints.txt"),
        ]  # fmt: skip
        argv += [f"--platform={platform}" for platform in system.platforms]
        done = subprocess.run([*argv, *wanted], stdout=subprocess.PIPE, check=True)  # noqa: S603 - pip, with words of pyproject.toml
    return json.loads(done.stdout)


def main(names: Sequence[str]) -> int:
    """Write the lists that are named, or all."""
    found = lists()
    OUT.mkdir(exist_ok=True)
    for name in names or list(found):
        (OUT / f"{name}.txt").write_text(made(name, found[name]), encoding="utf-8")
        print(OUT / f"{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

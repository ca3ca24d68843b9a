"""The half of an update that has all rights: checks all of it anew, installs, switches, watches.

    python -m agent.update.helper [--prefix /opt/schoolpulse] …

Started where the agent left a request, and at each boot: on Linux by systemd as this module, on
Windows as a service of its own (agent.service.update_service). The agent's service owns the folder
that the request lies in, so whatever lies there may be anybody's: it is read without following a
link, copied, and only the copy is checked and used. The key comes from root's own settings.

PREFIX leads to the folder of the version in use, PREFIX-steady to the last one that has reported:
this program runs from there, so that a broken version cannot keep it from going back.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from agent.common import decoding, log, textfile
from agent.common.files import replace
from agent.common.lock import Lock
from agent.update import memory
from agent.update.install_linux import (
    CONFIRMED,
    MANIFEST,
    REQUEST,
    RESULT,
    ROOT_STATE,
    Request,
    Result,
)
from agent.update.manifest import Here, NotInstallable, genuine, wanted
from agent.update.memory import FOLDER
from agent.update.programs import Programs
from agent.update.switching import Pending, Places
from agent.update.theirs import Theirs, TheirsOnWindows, theirs
from agent.version import VERSION
from agent.wire.release import MAX_FILE, MAX_MANIFEST, Platform, ReleaseFile

PREFIX = Path("/opt/schoolpulse")
STATE = Path("/var/lib/schoolpulse-agent")
SETTINGS = Path("/etc/schoolpulse/agent.toml")
#: A new version has so long to report, and may end so often, before the former one comes back.
REPORT_S, STARTS = 900.0, 3
_LOOK_S = 2.0
_CHUNK = 1 << 20
_Theirs = Theirs | TheirsOnWindows


class Setup(NamedTuple):
    """Where everything is."""

    state: Path = STATE  # the agent's data folder
    own: Path = ROOT_STATE  # root's
    prefix: Path = PREFIX
    settings: Path = SETTINGS
    report_s: float = REPORT_S
    platform: Platform = "linux"
    package: str = "package.zip"


class Switching(Protocol):
    """Where the versions lie, and which one is in use; see `agent.update.switching.Places`."""

    def folder(self, version: str) -> Path:
        """Where a version is put."""

    def settle(self, version: str) -> Path:
        """The version in use, such that `switch` can go back to it. Raises OSError."""

    def switch(self, target: Path) -> None:
        """Have that version in use. Raises OSError."""

    def keep(self, target: Path, previous: Path) -> None:
        """It has proved good. Raises OSError."""


def main(words: Sequence[str] | None = None) -> int:
    """Do what is asked for; 0 also where nothing is."""
    parser = argparse.ArgumentParser(prog="agent.update.helper")
    add_arguments(parser)
    log.configure("INFO")
    return run(Setup(**vars(parser.parse_args(words))), Programs())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that say where everything is."""
    for name, default in list(Setup()._asdict().items())[:5]:
        parser.add_argument(f"--{name}", type=type(default) if name == "report_s" else Path,
                            default=default)  # fmt: skip


def run(setup: Setup, programs: Programs, places: Switching | None = None) -> int:
    """Watch the version that was installed last, if it is new; then install what is asked for."""
    setup.own.mkdir(parents=True, exist_ok=True)
    places = places or Places(setup.prefix)
    with _locked(setup):
        if (pending := Pending.read(setup.own)) is not None:
            return _watch(setup, programs, places, pending)
        try:
            folder = theirs(setup.state / FOLDER)
        except OSError:
            return 0  # no agent has run here
        with folder:
            return _asked(setup, programs, places, folder)


@contextlib.contextmanager
def _locked(setup: Setup) -> Iterator[None]:
    lock = Lock(setup.own / "lock", "schoolpulse-agent-update")
    try:
        yield
    finally:
        lock.release()


def _asked(setup: Setup, programs: Programs, places: Switching, folder: _Theirs) -> int:
    try:
        data = folder.read(REQUEST, 1000)
    except OSError:
        return 0
    folder.remove(REQUEST)
    version = ""
    try:
        request = decoding.decode(data, Request)
        version = request.version
        if version == VERSION:  # asked for again by an agent that was restarted meanwhile
            _tell(setup, Result(version))
            return 0
        pending = _installed(setup, programs, places, folder, request)
    except (NotInstallable, msgspec.DecodeError, OSError, ValueError) as error:
        code = error.code if isinstance(error, NotInstallable) else "not_installed"
        log.error("update_refused", version=version, reason=error)
        _tell(setup, Result(version, code, str(error)[:200]))
        return 1
    return _watch(setup, programs, places, pending)


def _installed(
    setup: Setup, programs: Programs, places: Switching, folder: _Theirs, request: Request
) -> Pending:
    """Install and switch. Raises NotInstallable, OSError, ValueError: nothing was switched."""
    file = _checked(setup, folder, request)
    work = setup.own / "work"
    package = _copied(setup, folder, file)
    try:
        target = places.folder(file.version)
        programs.build(package, target, file.version, work)
        pending = Pending(file.version, str(places.settle(VERSION)), str(target))
        pending.write(setup.own)
        _switch(setup, programs, places, pending)
    finally:
        package.unlink(missing_ok=True)
    programs.restart()
    return pending


def _switch(setup: Setup, programs: Programs, places: Switching, pending: Pending) -> None:
    """Raises OSError: it could not be done, and the former version is in use."""
    try:
        places.switch(Path(pending.target))
    except OSError as error:
        places.switch(Path(pending.previous))
        _tell(setup, Result(pending.version, "not_installed", str(error)[:200]))
        Pending.forget(setup.own)
        programs.restart()  # last: the former version reads at once what came of it
        raise


def _checked(setup: Setup, folder: _Theirs, request: Request) -> ReleaseFile:
    """The signed manifest's row of what is asked for; root has a memory of its own."""
    key = tomllib.loads(textfile.read(setup.settings)).get("update", {}).get("public_key", "")
    if not key:
        raise NotInstallable("signature", "no public_key in the settings")
    seen = memory.read(setup.own)
    manifest = genuine(folder.read(MANIFEST, 2 * MAX_MANIFEST), key, seen.serial)
    memory.write(setup.own, msgspec.structs.replace(seen, serial=manifest.serial))
    here = Here(setup.platform, VERSION, manifest.serial, seen.refused)
    return wanted(manifest, request.version, here, time.time_ns() // 1_000_000)


def _copied(setup: Setup, folder: _Theirs, file: ReleaseFile) -> Path:
    """The package in a folder of root's alone, found good there."""
    target = setup.own / setup.package
    target.unlink(missing_ok=True)
    digest, size = hashlib.sha256(), 0
    with (
        folder.open(file.sha256) as source,
        open(target, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out,
    ):
        while (data := source.read(_CHUNK)) and size <= MAX_FILE:
            digest.update(data)
            size += len(data)
            out.write(data)
    if (digest.hexdigest(), size) != (file.sha256, file.size):
        target.unlink()
        raise NotInstallable("hash")
    return target


def _watch(setup: Setup, programs: Programs, places: Switching, pending: Pending) -> int:
    """Wait for the new version's report; take it back where it does not come."""
    pending = pending.once_more()
    pending.write(setup.own)
    end = time.monotonic() + setup.report_s
    while pending.tries <= STARTS and time.monotonic() < end and programs.restarts() < STARTS:
        if _confirmed(setup, pending.version):
            places.keep(Path(pending.target), Path(pending.previous))
            _tell(setup, Result(pending.version))
            Pending.forget(setup.own)
            log.info("updated", version=pending.version)
            return 0
        programs.wait(_LOOK_S)
    try:
        places.switch(Path(pending.previous))
    except OSError:
        programs.restart()  # the agent must not stay stopped until somebody comes
        raise
    seen = memory.read(setup.own)
    refused = (*seen.refused, pending.version)
    memory.write(setup.own, msgspec.structs.replace(seen, refused=refused))
    _tell(setup, Result(pending.version, "rolled_back"))
    Pending.forget(setup.own)
    log.error("update_taken_back", version=pending.version)
    programs.restart()
    return 1


def _confirmed(setup: Setup, version: str) -> bool:
    try:
        with theirs(setup.state / FOLDER) as folder:
            return folder.read(CONFIRMED, 100).decode("ascii", "replace").strip() == version
    except OSError:
        return False


def _tell(setup: Setup, result: Result) -> None:
    """For the agent to read, which is another user: there is nothing secret in it."""
    replace(setup.own / RESULT, msgspec.json.encode(result))


if __name__ == "__main__":
    sys.exit(main())

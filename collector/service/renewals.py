"""Sends a school's PCs their next credentials, and writes down which ones they hold.

A hello says which generation a PC logged in with and which CA it trusts. One that is behind gets
the renewal on its own receipt topic, in an answer that no broker retains. PCs that are on are told
too, when this starts and once the file of their school changes: their next hello may be an hour
away.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent import wire
from agent.common import decoding, log
from agent.wire.topics import receipt_topic
from collector.enrol.seen import Heard, SeenBook
from collector.ingest import Source

RENEWALS, SEEN = "renewals", "credentials.db"
#: How often files are looked at and hellos written down, s.
_EVERY_S = 1.0
#: Who said nothing for so long, ms, is not told by itself.
_TOLD_MS = 60 * 86_400_000
#: Schools told at once: all 600 together would hold up the receipts.
_AT_ONCE = 10
#: Hellos that wait while the disk is full; a PC says it again within the hour.
_MOST = 50_000

Publish = Callable[[str, bytes], bool]


class _File(NamedTuple):
    """What `<school>.json` holds, and which version of the file that was."""

    version: tuple[int, int]
    renewal: wire.Renewal | None
    digest: str


_NO_VERSION = 0, 0
_ABSENT = _File(_NO_VERSION, None, "")


class Renewals:
    """`answer` may be called by any thread; the rest is done by a thread of its own."""

    def __init__(self, folder: Path, publish: Publish) -> None:
        """`folder`: the collector's data folder.

        Raises:
            OSError, sqlite3.Error: credentials.db cannot be opened or written.
            NewerFileError: a later version made it.
        """
        self._folder, self._publish = folder, publish
        self._book = SeenBook(folder / SEEN)
        self._files: dict[str, _File] = {}
        self._told: dict[str, tuple[int, int]] = {}  # the version of each school's file
        self._due: deque[tuple[str, str]] = deque()  # PCs to be told: school, machine
        self._heard: list[Heard] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="renewals", daemon=True)

    def start(self) -> None:
        """Watch the files until `stop`."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Write down what was heard, and close; wait up to `seconds`. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def answer(self, source: Source, credential: int, ca: str) -> wire.Renewal | None:
        """What a PC that said this is to hold; None where it holds that already."""
        heard = Heard(source.school, source.machine, source.boot, credential, ca, _now_ms())
        # By one hold of the lock: whoever was answered by a file is heard before its next one is.
        with self._lock:
            found = self._file(source.school)
            if found is _ABSENT:  # else whoever may speak as some school fills the disk with codes
                return None
            if len(self._heard) < _MOST:
                self._heard.append(heard)
        return found.renewal if _behind(found, credential, ca) else None

    def _file(self, school: str) -> _File:
        """The school's file, read again where it changed."""
        path = self._folder / RENEWALS / f"{school}.json"
        try:
            status = path.stat()
            version = status.st_mtime_ns, status.st_ino
        except OSError:
            self._files.pop(school, None)
            return _ABSENT
        known = self._files.get(school)
        if known is None or known.version != version:
            known = self._files[school] = _read(path, version, known)
        return known

    # ---- its thread

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self._look()
                self._failing = False
            except Exception as error:  # whatever is wrong here, reports must go on
                if not self._failing:
                    log.warning("renewals_failed", reason=error, at=log.where(error))
                self._failing = True
        try:
            self._write()
        except sqlite3.Error as error:
            log.warning("renewals_failed", reason=error)
        self._book.close()

    def _write(self) -> None:
        """What was heard; it stays where that fails."""
        with self._lock:
            heard = list(self._heard)
        if heard:
            self._book.note(heard)
            with self._lock:
                del self._heard[: len(heard)]

    def _look(self) -> None:
        """Tell whom a file concerns that changed, and write down who was heard.

        What changed comes first: whoever was answered by the file before it was heard by then.
        """
        try:
            changed = self._changed()
            if changed and not self._due:
                self._plan(changed)
            self._tell()
        finally:
            self._write()

    def _changed(self) -> dict[str, _File]:
        """The files, by school, of another version than the one that was told."""
        folder = self._folder / RENEWALS
        changed: dict[str, _File] = {}
        for path in folder.glob("*.json") if folder.is_dir() else ():
            with self._lock:
                found = self._file(path.stem)
            if found.renewal is not None and self._told.get(path.stem) != found.version:
                changed[path.stem] = found
        return changed

    def _plan(self, changed: Mapping[str, _File]) -> None:
        """Who is to be told, of few schools; those with nobody to be told take nobody's place."""
        heard = self._heard_by_school()
        schools = 0
        for school, found in changed.items():
            said = [*self._book.of(school, _now_ms() - _TOLD_MS), *heard.get(school, ())]
            last = {one.machine: _behind(found, one.generation, one.ca) for one in said}
            behind = [machine for machine, is_behind in last.items() if is_behind]
            self._due.extend((school, machine) for machine in behind)
            self._told[school] = found.version
            schools += bool(behind)
            if schools == _AT_ONCE:
                break

    def _heard_by_school(self) -> dict[str, list[Heard]]:
        """What was just heard, and is not written down yet."""
        found: dict[str, list[Heard]] = {}
        with self._lock:
            for one in self._heard:
                found.setdefault(one.school, []).append(one)
        return found

    def _tell(self) -> None:
        """Send each the renewal that its school has now, until there is no room or connection."""
        while self._due:
            school, machine = self._due[0]
            # Under the lock: no hello is answered by a later file between the two.
            with self._lock:
                found = self._file(school)
                if found.renewal is None:  # it cannot be read now: told once it can
                    self._told.pop(school, None)
                elif not self._publish(receipt_topic(school, machine), _receipt(found)):
                    return
            self._due.popleft()


def _receipt(found: _File) -> bytes:
    return wire.encode(wire.Receipt(v=1, now=_now_ms(), renewal=found.renewal))


def _read(path: Path, version: tuple[int, int], before: _File | None) -> _File:
    """A file that is damaged renews nobody: `schoolpulse enrol --all` writes it again.

    One that could not be read has no version: it is read again at the next look or hello.
    """
    try:
        found = decoding.decode(path.read_bytes(), wire.Renewal)
    except OSError as error:
        if before is None or before.version != _NO_VERSION:
            log.warning("renewal_unreadable", file=path, reason=error)
        return _File(_NO_VERSION, None, "")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        fix = "schoolpulse enrol --all"
        log.warning("renewal_unreadable", file=path, reason=type(error).__name__, fix=fix)
        return _File(version, None, "")
    return _File(version, found, wire.ca_digest(found.ca))


def _behind(found: _File, credential: int, ca: str) -> bool:
    """0 is a bundle of before generations were counted: the first. A CA need not be said."""
    if found.renewal is None:
        return False
    return max(1, credential) < found.renewal.generation or bool(ca and ca != found.digest)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

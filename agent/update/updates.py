"""The updates of one agent: when to look, download, install, and what to report of it.

An agent without a public key never updates. Looking and downloading run in a thread of their own,
outside lessons, never while a line test runs, never on a metered link. An installation begins only
once the city has the report that says so, so that a PC that does not come back is noticed.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from agent.common import log
from agent.update import memory
from agent.update.memory import FOLDER, Seen
from agent.wire import release
from agent.wire.release import ReleaseFile, ReleaseOffer

#: After a failure the server is asked again after this, doubled each time up to the longest, s.
_RETRY_S, _LONGEST_S = 600.0, 6 * 3600.0
_PAUSE_S = 60.0
#: An installation that has not restarted the agent by then has failed, s.
_INSTALL_S = 1800.0


class Installer(Protocol):
    """Hands a checked file to whoever may install it."""

    platform: str

    def ready(self) -> bool:
        """Whether this PC has what it takes."""

    def install(self, file: Path, manifest: bytes, version: str) -> None:
        """Ask for the installation; it will restart the agent. Raises OSError."""

    def confirm(self, version: str) -> None:
        """This version runs and reports: it stays. Raises OSError."""

    def outcome(self, version: str) -> str:
        """Why the installation of a version came to nothing, as a code; empty: not known."""


class Now(NamedTuple):
    """What the runner knows at a turn."""

    ms: int | None  # corrected time; None: not known
    quiet: bool  # no lesson
    testing: bool  # a line test of this PC runs
    waiting: int  # reports without a receipt
    linked: bool


class Who(NamedTuple):
    """This agent; `metered`: whether the link to an address is."""

    machine: str
    version: str
    public_key: str  # 64 hex; empty: never updates
    delay_s: float = 3600.0
    metered: Callable[[str], bool] = lambda _: False


class Updates:
    """Used in the runner's thread; `wake` is called from any."""

    def __init__(
        self,
        who: Who,
        folder: Path,
        installer: Installer,
        wake: Callable[[], None],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._who, self._folder, self._installer = who, folder, installer
        self._wake, self._draw = wake, draw
        self._now = Now(None, quiet=False, testing=True, waiting=1, linked=False)
        self._offer: ReleaseOffer | None = None
        self._at = 0.0  # when to look, time.monotonic
        self._failures = 0
        self._ready: tuple[Path, bytes, ReleaseFile] | None = None
        self._began = 0.0
        self._told = False  # whether the helper knows that this version runs
        self._said = False  # whether a report holds the present state
        self._state = self._at_start() if who.public_key else ""
        self._thread: threading.Thread | None = None

    @property
    def enabled(self) -> bool:
        """Whether there is a key to check a version with."""
        return bool(self._who.public_key)

    @property
    def state(self) -> str:
        """As it is reported; see `agent.common.vocabulary.updates`."""
        return self._state

    def said(self, state: str) -> None:
        """This state was put into a report."""
        self._said = state == self._state

    def turn(self, now: Now, offers: tuple[ReleaseOffer, ...]) -> None:
        """Do what is due."""
        self._now = now
        if not self.enabled or (self._thread and self._thread.is_alive()):
            return
        self._tell_once()
        if self._state.startswith("installed:"):
            self._confirm_if_heard()
        elif self._state.startswith("installing:") and (self._began or self._is_offered(offers)):
            self._install_if_heard()
        else:
            self._look_if_due(offers)

    # ---- the runner's thread

    def _at_start(self) -> str:
        """What became of the installation that was asked for before this start."""
        try:
            seen = memory.read(self._folder)
        except OSError as error:
            log.warning("updates_unknown", reason=error)
            return ""
        if not seen.installing:
            return ""
        if seen.installing == self._who.version:
            return f"installed:{seen.installing}"
        return self._not_installed(seen.installing)

    def _not_installed(self, version: str) -> str:
        why = self._installer.outcome(version) or "not_installed"
        log.warning("update_failed", version=version, reason=why)
        refused = (version,) if why == "rolled_back" else ()
        self._remember(lambda seen: msgspec.structs.replace(
            seen, installing="", refused=(*seen.refused, *refused)
        ))  # fmt: skip
        return f"failed:{why}:{version}"

    def _confirm_if_heard(self) -> None:
        """The new version has reported and has its receipt: it stays."""
        if not (self._said and self._now.linked and self._now.waiting == 0):
            return
        self._installer.confirm(self._who.version)
        self._remember(lambda seen: msgspec.structs.replace(seen, installing=""))
        log.info("updated", version=self._who.version)
        self._set("")

    def _tell_once(self) -> None:
        """Say that this version runs and is heard, whoever installed it.

        A helper that was cut may have gone on after this agent had given the installation up. It
        heeds no version but the one that it waits for.
        """
        if self._told or self._state or not self._now.linked or self._now.waiting:
            return
        self._told = True
        try:
            self._installer.confirm(self._who.version)
        except OSError as error:
            log.warning("update_unconfirmed", reason=error)

    def _is_offered(self, offers: tuple[ReleaseOffer, ...]) -> bool:
        """Whether it is what was fetched: a stage may have been stopped in between."""
        return release.offer_for(offers, self._who.machine) == self._offer

    def _install_if_heard(self) -> None:
        version = self._state.partition(":")[2]
        if self._began and time.monotonic() - self._began > _INSTALL_S:
            self._failed(self._not_installed(version))
        if self._began or self._ready is None:
            return
        if self._said and self._now.linked and self._now.waiting == 0 and self._allowed():
            try:
                self._remember(lambda seen: msgspec.structs.replace(seen, installing=version))
                self._installer.install(self._ready[0], self._ready[1], version)
            except OSError as error:
                log.error("update_failed", version=version, reason=error)
                self._failed(f"failed:not_installed:{version}")
                return
            self._began = time.monotonic()
            log.info("update_installing", version=version)

    def _look_if_due(self, offers: tuple[ReleaseOffer, ...]) -> None:
        offer = release.offer_for(offers, self._who.machine)
        if offer != self._offer:  # PCs of a city must not all come at once
            self._offer, self._ready, self._failures = offer, None, 0
            self._at = time.monotonic() + self._draw() * self._who.delay_s
            self._set("")
        if offer is None or release.numbers(offer.version) <= release.numbers(self._who.version):
            return
        if time.monotonic() < self._at or not (self._allowed() and self._now.linked):
            return
        self._thread = threading.Thread(
            target=self._look, args=(offer,), name="update", daemon=True
        )
        self._thread.start()

    def _allowed(self) -> bool:
        return self._now.quiet and not self._now.testing and self._now.ms is not None

    def _set(self, state: str) -> None:
        if state != self._state:
            self._state, self._said = state, False
            self._wake()

    def _failed(self, state: str) -> None:
        wait = min(_RETRY_S * 2**self._failures, _LONGEST_S)
        self._failures = min(self._failures + 1, 10)
        self._at = time.monotonic() + wait * (1 + self._draw())
        self._ready, self._began = None, 0.0
        self._set(state)

    def _remember(self, change: Callable[[Seen], Seen]) -> None:
        memory.write(self._folder, change(memory.read(self._folder)))

    # ---- a thread of its own

    def _look(self, offer: ReleaseOffer) -> None:
        from agent.update.fetch import Paused  # at first use, as in `_fetched`: few PCs, once
        from agent.update.manifest import NotInstallable

        try:
            self._ready = self._fetched(offer)
            self._set(f"installing:{offer.version}")
        except Paused:
            self._at = time.monotonic() + _PAUSE_S * (1 + self._draw())
        except NotInstallable as error:
            log.warning("update_refused", version=offer.version, reason=error)
            self._failed(f"failed:{error.code}:{offer.version}")
        except Exception as error:  # must not end without a word, nor end the agent
            log.error("update_failed", reason=error, at=log.where(error))
            self._failed(f"failed:not_installed:{offer.version}")

    def _fetched(self, offer: ReleaseOffer) -> tuple[Path, bytes, ReleaseFile]:
        """The offer's file, checked. Raises NotInstallable, Paused, OSError."""
        from agent.update import fetch
        from agent.update.manifest import Here, NotInstallable, genuine, wanted

        if not self._installer.ready():
            raise NotInstallable("no_installer")
        if self._who.metered(offer.manifest):
            raise fetch.Paused
        signed = fetch.manifest(offer.manifest)
        seen = memory.read(self._folder)
        manifest = genuine(signed, self._who.public_key, seen.serial)
        if manifest.serial != seen.serial:
            self._remember(lambda seen: msgspec.structs.replace(seen, serial=manifest.serial))
        here = Here(self._installer.platform, self._who.version, manifest.serial, seen.refused)
        file = wanted(manifest, offer.version, here, self._now.ms or 0)
        self._set(f"downloading:{offer.version}")
        folder = self._folder / FOLDER
        return fetch.file(offer.manifest, file, folder, self._allowed), signed, file

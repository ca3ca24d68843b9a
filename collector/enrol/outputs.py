"""All that follows from the state: key files, renewals, broker accounts, bundles.

Each is compared with what is there, and written only where it differs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent.common import textfile
from agent.common.signing import MIN_KEY
from agent.wire.renewal import Renewal
from collector.config import Config
from collector.enrol import authority, brokering, bundle, owned, pki
from collector.enrol.owned import LINE_KEY, LINE_KEYS, SHARED, Kind
from collector.enrol.place import Place
from collector.enrol.state import Held, State
from collector.release import key as release
from collector.roster.register import Register

#: How far it is, for a progress bar: how many schools are done.
Told = Callable[[int], None]
_PREVIOUS, _KEY = ".previous.key", ".key"


class Outcome(NamedTuple):
    """How many files were written and removed, the accounts that changed, and where."""

    files: int
    accounts: int
    broker: brokering.How


def bring(place: Place, config: Config, state: State, told: Told = lambda done: None) -> Outcome:
    """Write what follows from the state, for the whole city.

    The broker comes before the renewals, which the collector sends at once: a PC whose new account
    the broker does not have yet would be refused.

    Raises:
        OSError, PkiError, ControlError, TextFileError: what was written stays, and the next call
            goes on from there.
    """
    changed, held = _folders(place), state.held()
    ca = pki.read(place.ca).decode()
    for done, school in enumerate(held.values()):
        told(done)
        changed += keys(place.keys, school)
    changed += sum(remove_keys(place, school) for school in state.revoked())
    os.sync()  # once for all of them
    accounts = brokering.accounts(place, held)
    how, count = brokering.apply(place, config.mqtt, accounts)
    if how == "file":
        state.file_is_up_to_date()
    changed += sum(_renewal(place.renewals, school, ca) for school in held.values())
    os.sync()
    return Outcome(changed, count, how)


def bundles(
    place: Place,
    config: Config,
    register: Register,
    held: Sequence[Held],
    out: Path,
    told: Told = lambda done: None,
) -> int:
    """Write the bundles of these schools into `out`; how many were new or different.

    Raises:
        OSError: what was written stays.
        PkiError: there is no CA, or no name under which the schools reach the broker.
        RefusedError: the release key cannot be read.
    """  # fmt: skip
    names = authority.server_names(place)
    if not names:
        raise pki.PkiError(bundle.unknown_host())
    ca = pki.read(place.ca)
    if not out.is_dir():
        out.mkdir(parents=True, mode=0o700)
    written = 0
    release_key = release.known(config.folder)
    for done, school in enumerate(held):
        told(done)
        code = school.now.school
        content = bundle.Content(
            register.schools[code], register.rooms_of.get(code, []), school.now, ca,
            names[0], config.mqtt.port, config.report, release_key, config.lines.server,
        )  # fmt: skip
        path = out / bundle.file_name(code)
        written += owned.put(path, bundle.build(content), Kind(0o600), durable=False)
    os.sync()
    return written


def found_line_keys(place: Place, schools: Iterable[str]) -> dict[str, str]:
    """By school, the line keys that were there before it was enrolled: its PCs go on with them.

    Raises:
        OSError, TextFileError: one cannot be read.
    """
    found = {}
    for school in schools:
        path = place.keys / f"{school}{_KEY}"
        if path.exists() and len(key := textfile.secret(path)) >= MIN_KEY:
            found[school] = key
    return found


def renewal(held: Held, ca: str) -> Renewal:
    """What a school's PCs are to hold now."""
    now = held.now
    return Renewal(
        generation=now.generation, username=now.username, password=now.password,
        line_key=now.line_key, ca=ca, source_key=now.source_key,
    )  # fmt: skip


def _folders(place: Place) -> int:
    made = owned.folder(place.keys, LINE_KEYS)
    return made + owned.folder(place.renewals, Kind(0o750, owned.SERVICE))


def keys(folder: Path, held: Held) -> int:
    """A school's key files brought up to date; how many were written or removed.

    The former key first: a PC that signs with it is served at every moment.

    Raises:
        OSError: the next call goes on from there.
    """
    changed = 0
    code = held.now.school
    previous = folder / f"{code}{_PREVIOUS}"
    if held.former is not None:
        changed += _put(previous, f"{held.former.line_key}\n", LINE_KEY)
    changed += _put(folder / f"{code}{_KEY}", f"{held.now.line_key}\n", LINE_KEY)
    if held.former is None and previous.exists():
        previous.unlink()
        changed += 1
    return changed


def _renewal(folder: Path, held: Held, ca: str) -> int:
    text = msgspec.json.encode(renewal(held, ca)).decode()
    return _put(folder / f"{held.now.school}.json", text, SHARED)


def _put(path: Path, text: str, kind: Kind) -> int:
    """Not each flushed to the disk by itself: the next run writes what a power cut took."""
    return owned.put(path, text.encode(), kind, durable=False)


def remove_keys(place: Place, school: str) -> int:
    """No line of the school is tested from now on; how many files went. Raises OSError."""
    left = [place.keys / f"{school}{ending}" for ending in (_KEY, _PREVIOUS)]
    left = [path for path in (*left, place.renewals / f"{school}.json") if path.exists()]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def fault(place: Place, held: Held, ca: str) -> str:
    """Which file of a school is not as the state has it; empty where all are. Raises OSError."""
    code = held.now.school
    wanted = {
        place.keys / f"{code}{_KEY}": f"{held.now.line_key}\n",
        place.renewals / f"{code}.json": msgspec.json.encode(renewal(held, ca)).decode(),
    }
    if held.former is not None:
        wanted[place.keys / f"{code}{_PREVIOUS}"] = f"{held.former.line_key}\n"
    return next((str(at) for at, text in wanted.items() if not owned.holds(at, text.encode())), "")

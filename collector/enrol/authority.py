"""The city's CA and the broker's certificate on disk: made, issued anew, renewed.

Every key is written before its certificate, and a key that is there is used: whoever is killed
between the two finishes at the next run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from cryptography.x509 import Certificate

from agent.common.language import counted, say
from collector.enrol import owned, pki
from collector.enrol.owned import BROKERS, OPEN, ROOT_ONLY
from collector.enrol.pki import PkiError
from collector.enrol.place import Place

#: A certificate that ends within so many days is a finding.
WARN_DAYS = 30
NONE, DISTRIBUTING, SIGNED = "none", "distributing", "signed"


def make_ca(place: Place, now: dt.datetime) -> None:
    """Make the CA, of the key that is there already or a new one. Raises OSError, PkiError."""
    key = _key(place.ca_key, ROOT_ONLY)
    owned.put(place.ca, pki.new_ca(key, now), OPEN)


def issue(place: Place, names: Sequence[str], now: dt.datetime, ca: bytes | None = None) -> None:
    """Issue the broker's certificate; the one before stays beside it as server.previous.pem.

    `ca`: the CA that signs, with its key at the place of the next one; None: the present one.

    Raises:
        PkiError: the CA's key is not there, or is not its own.
        OSError: a file cannot be written; the certificate in force is as it was.
    """
    path = place.ca_key if ca is None else place.next_ca_key
    if not path.exists():
        raise PkiError(_no_key(path))
    key = _key(place.server_key, BROKERS)
    made = pki.new_server(ca or pki.read(place.ca), pki.read(path), key, names, now)
    if place.server.exists():
        owned.put(place.server.with_name("server.previous.pem"), place.server.read_bytes(), OPEN)
    owned.put(place.server, made, OPEN)


def lacking(place: Place, names: Sequence[str], now: dt.datetime) -> str:
    """Why the broker's certificate must be issued anew; empty: it serves.

    Raises:
        PkiError: a file is damaged; the message names it.
    """
    if not place.server.exists():
        return say("还没有", "there is none")
    found = _certificate(place.server)
    missing = [name for name in names if name not in pki.names(found)]
    if missing:
        text = ", ".join(missing)
        return say(f"证书里没有 {text}", f"it is not for {text}")
    if names and pki.common_name(found) != names[0]:
        return say(f"主名不是 {names[0]}", f"its main name is not {names[0]}")
    return unusable(place, now)


def unusable(place: Place, now: dt.datetime) -> str:
    """Why nobody would accept the broker's certificate; empty where it is good. Raises PkiError."""
    found = _certificate(place.server)
    if not place.server_key.exists() or not _paired(place.server, place.server_key):
        return say("与它的密钥不是一对", "its key is missing or another's")
    if not any(pki.signed_by(found, one) for one in pki.certificates(pki.read(place.ca))):
        return say("不是这个 CA 签发的", "it is not by this CA")
    left = pki.days_left(found, now)
    if left < WARN_DAYS:
        return say(f"还有 {left} 天到期", f"it ends in {counted(left, 'day')}")
    return ""


def server_names(place: Place) -> list[str]:
    """The names of the broker's certificate, the main one first; none where there is none yet."""
    return pki.names(_certificate(place.server)) if place.server.exists() else []


def begin_renewal(place: Place, now: dt.datetime) -> bool:
    """Make the next CA and have everybody who reads ca.pem trust it too; whether it is new.

    Raises:
        PkiError, OSError: the present CA is as it was.
    """
    new = not place.next_ca.exists()
    if new:
        key = _key(place.next_ca_key, ROOT_ONLY)
        owned.put(place.next_ca, pki.new_ca(key, now), OPEN)
    both = [pki.first(pki.read(place.ca)), pki.first(pki.read(place.next_ca))]
    return owned.put(place.ca, pki.text(dict.fromkeys(both)), OPEN) or new


def sign(place: Place, now: dt.datetime) -> None:
    """The next CA signs the broker's certificate; both are trusted still.

    Raises:
        PkiError, OSError: see `issue`.
    """
    if stage(place) == DISTRIBUTING:
        issue(place, server_names(place), now, pki.read(place.next_ca))


def finish_renewal(place: Place) -> None:
    """The next CA becomes the present one, and the former one is trusted no longer.

    Killed anywhere, it is finished by being called again: what is trusted comes first, then the
    keys, and what says that a renewal is under way goes last.

    Raises:
        PkiError, OSError: a file cannot be read or written.
    """
    owned.put(place.ca, pki.read(place.next_ca), OPEN)
    if place.next_ca_key.exists():
        former = place.ca_key.with_name(f"{place.ca_key.stem}.previous{place.ca_key.suffix}")
        if place.ca_key.exists() and not _paired(place.ca, place.ca_key):
            place.ca_key.replace(former)
        place.next_ca_key.replace(place.ca_key)
    place.next_ca.unlink()


def stage(place: Place) -> str:
    """Where a renewal of the CA stands: none, the next CA is handed out, or it has signed."""
    if not place.next_ca.exists():
        return NONE
    ahead = pki.first(pki.read(place.next_ca))
    signed = place.server.exists() and pki.signed_by(_certificate(place.server), ahead)
    return SIGNED if signed else DISTRIBUTING


def _certificate(path: Path) -> Certificate:
    try:
        return pki.first(pki.read(path))
    except PkiError as error:
        raise PkiError(f"{path}: {error}") from error


def _paired(certificate: Path, key: Path) -> bool:
    try:
        return pki.matches(pki.read(certificate), pki.read(key))
    except PkiError as error:
        raise PkiError(f"{key}: {error}") from error


def _key(path: Path, kind: owned.Kind) -> bytes:
    """The key at `path`, drawn where there is none."""
    if not path.exists():
        owned.put(path, pki.new_key(), kind)
    return pki.read(path)


def _no_key(path: Path) -> str:
    return say(
        f"{path}: 没有 CA 的密钥；接上保管它的介质，或用 --ca-key 说明它在哪里",
        f"{path}: the CA's key is not there: attach where it is kept, or name it by --ca-key",
    )

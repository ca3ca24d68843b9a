"""A school's renewed credentials: checked, kept in the data folder, and put to use.

One file holds a whole renewal, and is replaced whole: whatever is killed when, a set that works
is there. The one before it is kept too, as the newest may prove useless only later. A PC that
loses its data folder at each boot goes on with the credentials that were installed.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agent.common import decoding, log
from agent.common.broker_settings import AgentBroker, agent_broker
from agent.common.files import replace
from agent.common.settings import SettingsError
from agent.common.signing import MIN_KEY
from agent.config import SOURCE_KEY, Config
from agent.mqtt.accounts import Account, Accounts
from agent.wire.renewal import Renewal, ca_digest, certificates, school_of

FOLDER = "renewed"
_NEWEST, _BEFORE = "renewal.json", "previous.json"
#: A renewal's file is never longer, bytes.
_LONGEST = 1 << 18


class UnfitError(ValueError):
    """A renewal that cannot be used; the message says why."""


def accounts(config: Config) -> Accounts:
    """The accounts of this PC: renewed ones first, unless the settings have a newer one."""

    def renew(renewal: Renewal, current: Account) -> Account | None:
        return _renewed(config, renewal, current)

    return Accounts(candidates(config), renew)


def newest(config: Config) -> Account:
    """The account that a command uses, such as `doctor`; the agent may have found it refused."""
    return candidates(config)[0]


def source_keys(config: Config) -> tuple[bytes, ...]:
    """The school's keys for digests of hardware sources, the newest first; none where none is set.

    One that cannot be read is warned of: without it the PC still reports.
    """
    keys = [bytes.fromhex(one.source_key) for one in _kept(config)]
    try:
        keys.append(config.identity.source_key())
    except SettingsError as error:
        log.warning("source_key_unreadable", reason=error)
    return tuple(filter(None, keys))


def check(renewal: Renewal, school: str) -> None:
    """Raise UnfitError where no agent of `school` can use it."""
    if school_of(renewal.username) != school:
        raise UnfitError(f"it is for {renewal.username!r}, not for school {school}")
    if not renewal.password or not renewal.password.isprintable():
        raise UnfitError("its password is empty, or has characters that nobody types")
    key = renewal.line_key
    if len(key) < MIN_KEY or not key.isascii() or not key.isprintable():
        raise UnfitError("its line key is too short, or not of letters and digits")
    if renewal.source_key and not SOURCE_KEY.fullmatch(renewal.source_key):
        raise UnfitError("its source key is not 64 hex digits")
    _check_ca(renewal.ca)


def _check_ca(pem: str) -> None:
    """OpenSSL must read each certificate, and one of them must be that of a CA."""
    blocks = pem.count("-----BEGIN CERTIFICATE-----")
    if not blocks or len(certificates(pem)) != blocks:
        raise UnfitError("its CA file holds no certificate, or a damaged one")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise UnfitError(f"its CA file cannot be read: {error}") from error
    if not context.cert_store_stats()["x509_ca"]:
        raise UnfitError("its CA file holds no CA")


def _renewed(config: Config, renewal: Renewal, current: Account) -> Account | None:
    """The account of a renewal that is newer than the current one, kept for the next start."""
    if not _is_news(renewal, current):
        return None
    try:
        check(renewal, config.school)
    except UnfitError as error:
        log.warning("renewal_unfit", generation=renewal.generation, reason=error)
        return None
    try:
        _keep(config, renewal, current)
    except OSError as error:  # it is used all the same, until the agent ends
        log.error("renewal_not_kept", reason=error)
    log.info("renewal", generation=renewal.generation, ca=ca_digest(renewal.ca))
    return _account(agent_broker(config.broker), renewal)


def _is_news(renewal: Renewal, current: Account) -> bool:
    """A higher generation, or the same one with another CA."""
    mine = current.broker.generation
    other_ca = renewal.generation == mine and ca_digest(renewal.ca) != current.ca_digest
    if renewal.generation < mine:
        log.warning("renewal_unfit", generation=renewal.generation, reason=f"{mine} is in use")
    return renewal.generation > mine or other_ca


def _account(broker: AgentBroker, renewal: Renewal) -> Account:
    changed = msgspec.structs.replace(
        broker,
        username=renewal.username,
        password=renewal.password,
        password_file="",
        generation=renewal.generation,
    )
    return Account(changed, renewal.ca, renewal.line_key)


def candidates(config: Config) -> list[Account]:
    """Renewed accounts, then the installed one; that one first where it is newer."""
    broker = agent_broker(config.broker)
    renewed = [_account(broker, one) for one in _kept(config)]
    newer = [one for one in renewed if one.broker.generation >= broker.generation]
    older = [one for one in renewed if one not in newer]
    return [*newer, Account(broker), *older]


# The files


def _kept(config: Config) -> Iterator[Renewal]:
    for name in (_NEWEST, _BEFORE):
        path = config.folder / FOLDER / name
        try:
            renewal = _read(path)
            if renewal is not None:
                check(renewal, config.school)
                yield renewal
        except (OSError, UnfitError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("renewal_unusable", file=str(path), reason=error)


def _read(path: Path) -> Renewal | None:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return decoding.decode(data, Renewal)


def _keep(config: Config, renewal: Renewal, current: Account) -> None:
    """Keep it, and before it the one that it replaces, if that is the one in use.

    Raises:
        OSError: what was kept before is as it was.
    """
    folder = config.folder / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    in_use = next(
        (one for one in _kept(config) if _account(agent_broker(config.broker), one) == current),
        None,
    )
    if in_use is not None:
        _write(folder / _BEFORE, in_use)
    _write(folder / _NEWEST, renewal)


def _write(path: Path, renewal: Renewal) -> None:
    replace(path, msgspec.json.encode(renewal), mode=0o600)

"""The checks of `enrol check`: what is on this machine against the state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from agent.common import textfile
from agent.common.checks import Check
from agent.common.language import counted, say
from collector.broker import dynsec
from collector.broker.control import ControlError
from collector.config import Config
from collector.enrol import authority, brokering, outputs, owned, pki
from collector.enrol.owned import BROKERS, LINE_KEY, OPEN, ROOT_ONLY, SHARED, Kind
from collector.enrol.pki import PkiError
from collector.enrol.place import SERVICES, Place
from collector.enrol.state import State

_SHOWN = 5


def run(place: Place, config: Config, state: State) -> Iterator[Check]:
    """Every check, in the order in which faults follow from each other."""
    yield _services(place)
    yield _rights(place, config, state)
    yield _ca(place)
    yield _server(place, config)
    yield _keys(place, state)
    yield _accounts(place, config, state)


def _services(place: Place) -> Check:
    name = say("服务的密码", "services' passwords")
    wrong = []
    for service in SERVICES:
        try:
            textfile.secret(place.password(service))
        except FileNotFoundError:
            wrong.append(f"{place.password(service)}: {say('没有', 'missing')}")
        except (OSError, textfile.TextFileError) as error:
            wrong.append(f"{place.password(service)}: {error}")
    return _verdict(name, wrong, "schoolpulse setup")


def _rights(place: Place, config: Config, state: State) -> Check:
    """Whoever may read more than it needs is a finding; the fix is the command for it.

    HiveMQ reads its file by itself, not through a unit's credentials: it must be its own.
    """
    wanted: list[tuple[Path, Kind]] = [
        (place.ca_key, ROOT_ONLY), (place.next_ca_key, ROOT_ONLY), (place.server_key, BROKERS),
        (place.ca, OPEN), (place.state, Kind(0o600, owned.SERVICE)),
        *((place.password(service), owned.password_kind(service)) for service in SERVICES),
    ]  # fmt: skip
    for code in state.held():
        wanted.append((place.keys / f"{code}.key", LINE_KEY))
        wanted.append((place.renewals / f"{code}.json", SHARED))
    accounts = Path(config.mqtt.hivemq)
    if config.mqtt.hivemq:
        wanted.append((accounts, owned.HIVEMQS))
    wrong = [f"{path}: {bad}" for path, kind in wanted if (bad := owned.fault(path, kind))]
    if config.mqtt.hivemq and (bad := owned.unreadable(accounts, owned.HIVEMQS)):
        text = say("HiveMQ 读不了", "HiveMQ cannot read it")
        wrong.append(f"{accounts}: {bad}, {text}")
    fix = "schoolpulse setup; schoolpulse enrol --all"
    return _verdict(say("权限", "rights"), wrong, fix)


def _ca(place: Place) -> Check:
    name = "CA"
    try:
        left = [pki.days_left(one, _now()) for one in pki.certificates(pki.read(place.ca))]
        away = not place.ca_key.exists()
        paired = away or pki.matches(pki.read(place.ca), pki.read(place.ca_key))
    except PkiError as error:
        fix = say("从备份恢复", "restore it from a backup")
        return Check(name, False, f"{place.ca}: {error}", fix)
    if min(left) < authority.WARN_DAYS:
        text = say(f"还有 {min(left)} 天到期", f"ends in {counted(min(left), 'day')}")
        return Check(name, False, text, "schoolpulse ca renew")
    if not paired:
        text = say("与 ca.pem 不是一对", "does not belong to ca.pem")
        fix = say("放回原来的密钥", "put the right key back")
        return Check(name, False, f"{place.ca_key}: {text}", fix)
    where = say("密钥不在本机", "its key is not on this machine") if away else str(place.ca_key)
    return Check(
        name,
        True,
        say(f"还有 {min(left)} 天；{where}", f"{counted(min(left), 'day')} left; {where}"),
    )


def _server(place: Place, config: Config) -> Check:
    name = say("服务器证书", "server certificate")
    if not place.server.exists():
        fix = "schoolpulse setup --name …"
        return Check(name, False, f"{place.server}: {say('没有', 'missing')}", fix)
    try:
        problem = authority.unusable(place, _now())
        names = authority.server_names(place)
    except PkiError as error:
        return Check(name, False, str(error), "schoolpulse setup")
    if problem:
        return Check(name, False, f"{place.server}: {problem}", "schoolpulse setup")
    if config.mqtt.host not in names:
        text = say(
            f"不含 [mqtt] host = {config.mqtt.host}", f"not for [mqtt] host = {config.mqtt.host}"
        )
        return Check(name, False, text, f"schoolpulse setup --alt {config.mqtt.host}")
    return Check(name, True, ", ".join(names))


def _keys(place: Place, state: State) -> Check:
    """The key files and renewals are those of the state, and nothing is left of revoked schools."""
    held, ca = state.held(), pki.read(place.ca).decode()
    wrong = []
    for code, school in held.items():
        if fault := outputs.fault(place, school, ca):
            wrong.append(f"{code}: {fault}")
    wrong += [
        f"{code}: {say('已停用，密钥还在', 'revoked, but its key is still there')}"
        for code in state.revoked()
        if (place.keys / f"{code}.key").exists()
    ]
    return _verdict(say("学校的密钥", "schools' keys"), wrong, "schoolpulse enrol --all")


def _accounts(place: Place, config: Config, state: State) -> Check:
    """The broker's accounts, by name: of a running one by asking it, else by its file.

    HiveMQ's file is compared as a whole.
    """
    name, same = say("消息服务器的账号", "broker's accounts"), True
    try:
        accounts = brokering.accounts(place, state.held())
        wanted = {one.username for one in accounts}
        if config.mqtt.hivemq:
            wanted, found, same = brokering.in_file(config.mqtt, accounts)
            where = config.mqtt.hivemq
        elif brokering.runs(config.mqtt):
            found = set(brokering.control(place, config.mqtt).usernames())
            where = say("在运行", "it runs")
        else:
            clients = (dynsec.read(place.accounts) or {}).get("clients", ())
            found = {str(one.get("username")) for one in clients}
            where = say("没有运行", "it does not run")
    except (ControlError, OSError, textfile.TextFileError) as error:
        fix = say(
            "先使它能连上，再运行 schoolpulse enrol --all",
            "make it reachable, then run schoolpulse enrol --all",
        )
        if isinstance(error, PermissionError):
            fix = say("请用 root 运行", "run it as root")
        return Check(name, False, str(error), fix)
    wrong = [f"{one}: {say('缺少', 'missing')}" for one in sorted(wanted - found)]
    wrong += [f"{one}: {say('多余', 'not ours')}" for one in sorted(found - wanted)]
    if not wrong and not same:
        text = say("密码或权限与注册的不同", "passwords or rights are not those of the enrolment")
        wrong.append(f"{where}: {text}")
    if not wrong:
        return Check(name, True, f"{len(wanted)}; {where}")
    return _verdict(name, wrong, "schoolpulse enrol --all")


def _verdict(name: str, wrong: list[str], fix: str) -> Check:
    if not wrong:
        return Check(name, True, say("正确", "right"))
    more = len(wrong) - _SHOWN
    shown = wrong[:_SHOWN] + ([say(f"… 另 {more} 个", f"… {more} more")] if more > 0 else [])
    return Check(name, False, "; ".join(shown), fix)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)

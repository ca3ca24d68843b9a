"""`schoolpulse setup`: what a city's machine needs before its first school, step by step.

A step that is done already is none: run twice, nothing is written twice; killed anywhere, the next
run does the rest.
"""

from __future__ import annotations

import datetime as dt
import glob
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.common.language import say
from collector.broker import dynsec, mosquitto
from collector.config import Mqtt
from collector.enrol import authority, brokering, owned, pki, settings_file
from collector.enrol.owned import (
    BROKER,
    LINE_KEYS,
    OPEN,
    ROOT_ONLY,
    SERVICE,
    Kind,
    password_kind,
)
from collector.enrol.place import SERVICES, Place
from collector.enrol.settings_file import City
from collector.enrol.state import State
from collector.release import key as release

#: The broker's name within deploy/compose.yaml.
_COMPOSE = "mosquitto"
PLUGINS = "/usr/lib/*/mosquitto_dynamic_security.so"
_OWN_FOLDER, _STATE_FOLDER = Kind(0o755), Kind(0o750, SERVICE)
_BROKER_FOLDER, _BROKER_DATA = Kind(0o755, BROKER), Kind(0o700, BROKER)
#: What stands in /etc/schoolpulse besides the passwords of the broker's accounts.
GRAFANA = "grafana"


class Wish(NamedTuple):
    """What the command was told. `names`: the broker's, the main one first."""

    names: Sequence[str]
    city: City
    release_key: Path  # where the key that signs new versions of the agent is, or is to be


class Step(NamedTuple):
    """Something to do, and where; `done` is said afterwards in the journal."""

    path: Path
    text: str
    do: Callable[[], object]


def names(place: Place, name: str, more: Sequence[str]) -> list[str]:
    """The names that the certificate must have; those that it has already stay.

    Raises:
        PkiError: a name cannot stand in a certificate, or the present certificate is damaged.
    """
    present = authority.server_names(place)
    main = name or (present[0] if present else "")
    wanted = list(dict.fromkeys(filter(None, (main, *more, *present, _COMPOSE))))
    problems = [problem for one in wanted if (problem := pki.host_problem(one))]
    if problems:
        raise pki.PkiError("\n".join(problems))
    return wanted


def steps(place: Place, wish: Wish, now: dt.datetime, who: str) -> list[Step]:
    """What is left to do; nothing is written yet.

    Raises:
        PkiError, OSError: what is there cannot be used; the message names the file and the fix.
    """
    return [
        *_folders(place),
        *_secrets(place),
        *_token(place, wish.city.store),
        *_authority(place, wish, now),
        *_files(place, wish, who),
        *_release_key(place, wish.release_key),
    ]


def notes(place: Place, mqtt: Mqtt) -> list[str]:
    """What is there but different from what setup would write, each with its fix."""
    found = []
    if place.server.exists() and mqtt.host not in authority.server_names(place):
        found.append(
            say(
                f"{place.config}: [mqtt] host = {mqtt.host!r} 不在服务器证书里；"
                f"运行 schoolpulse setup --alt {mqtt.host}",
                f"{place.config}: the certificate is not for [mqtt] host = {mqtt.host!r}; "
                f"run schoolpulse setup --alt {mqtt.host}",
            )
        )
    conf = place.broker / "mosquitto.conf"
    if conf.exists() and not owned.holds(conf, _conf(place, mqtt.port)):
        found.append(
            say(
                f"{conf}: 与本版本写出的不同，保持原样；要换成新的，删掉它再运行 setup",
                f"{conf}: differs from what this version writes, and is left alone; for the new "
                "one remove it and run setup again",
            )
        )
    return found


def _folders(place: Place) -> Iterator[Step]:
    wanted = (
        (place.folder, _OWN_FOLDER), (place.data, _STATE_FOLDER), (place.keys, LINE_KEYS),
        (place.renewals, _STATE_FOLDER), (place.broker, _BROKER_FOLDER),
        (place.broker / "data", _BROKER_DATA),
    )  # fmt: skip
    for path, kind in wanted:
        if not path.is_dir() or owned.foreign(path, kind):
            yield Step(path, say("文件夹", "folder"), lambda at=path, of=kind: owned.folder(at, of))  # type: ignore[misc]


def _secrets(place: Place) -> Iterator[Step]:
    """A password for each service, drawn once; its rights are brought right where they are not."""
    for service in (*SERVICES, GRAFANA):
        path, kind = place.password(service), password_kind(service)
        if not path.exists():
            text = say(f"{service} 的密码", f"password of {service}")
            yield Step(path, text, lambda at=path, of=kind: _draw(at, of))  # type: ignore[misc]
        elif owned.fault(path, kind):
            text = say("权限", "rights")
            yield Step(path, text, lambda at=path, of=kind: owned.protect(at, of))  # type: ignore[misc]
    for path, kind in ((place.ca_key, ROOT_ONLY), (place.server_key, owned.BROKERS)):
        # Made before the broker was installed it is root's, and its unit does not begin as root.
        if owned.fault(path, kind) or (path.exists() and owned.foreign(path, kind)):
            text = say("权限", "rights")
            yield Step(path, text, lambda at=path, of=kind: owned.protect(at, of))  # type: ignore[misc]


def _token(place: Place, store: str) -> Iterator[Step]:
    """Drawn here, for InfluxDB 2.x to be set up with; who has one already puts it into the file.

    1.x without accounts takes any. Without the file every command would refuse the settings.
    """
    if store == "influxdb" and not place.token.exists():
        text = say("数据库的令牌", "token of the database")
        yield Step(place.token, text, lambda: _draw(place.token, owned.SECRET))


def _draw(path: Path, kind: Kind) -> None:
    owned.put(path, f"{secrets.token_hex(32)}\n".encode(), kind)


def _authority(place: Place, wish: Wish, now: dt.datetime) -> Iterator[Step]:
    if not place.ca.exists():
        if place.server.exists():
            raise pki.PkiError(_lost_ca(place))
        text = say(f"CA，密钥在 {place.ca_key}", f"the CA, its key in {place.ca_key}")
        yield Step(place.ca, text, lambda: authority.make_ca(place, now))
        why = say("还没有", "there is none")
    else:
        why = authority.lacking(place, wish.names, now)
    if why:
        listed = ", ".join(wish.names)
        text = say(f"服务器证书（{why}）：{listed}", f"server certificate ({why}): {listed}")
        yield Step(place.server, text, lambda: authority.issue(place, wish.names, now))


def _files(place: Place, wish: Wish, who: str) -> Iterator[Step]:
    conf = place.broker / "mosquitto.conf"
    if not conf.exists():
        made = _conf(place, wish.city.port)
        text = say("Mosquitto 的配置", "Mosquitto's settings")
        yield Step(conf, text, lambda: owned.put(conf, made, OPEN))
    if not place.accounts.exists():
        text = say("Mosquitto 的账号与权限", "Mosquitto's accounts and roles")
        yield Step(place.accounts, text, lambda: _accounts(place, who))
    if not place.config.exists():
        settings = settings_file.text(place, wish.names[0] if wish.names else "", wish.city)
        text = say("本市的设置", "the city's settings")
        yield Step(place.config, text, lambda: owned.put(place.config, settings.encode(), OPEN))


def _release_key(place: Place, key: Path) -> Iterator[Step]:
    """The city's own, once: its public half goes into the schools' bundles with the rest."""
    if not release.known(place.data):
        text = say("新版本的发布密钥", "the key that signs new versions of the agent")
        yield Step(key, text, lambda: _make_release_key(place, key))


def _make_release_key(place: Place, key: Path) -> None:
    release.make(key)
    release.remember(place.data, key)


def _accounts(place: Place, who: str) -> None:
    with State(place.state, who) as state:
        dynsec.write(place.accounts, brokering.accounts(place, state.held()))
    owned.protect(place.accounts, Kind(0o600, BROKER))


def _conf(place: Place, port: int) -> bytes:
    found = glob.glob(PLUGINS)
    files = mosquitto.Files(
        certificate=str(place.server), key=str(place.server_key), accounts=str(place.accounts),
        data=f"{place.broker / 'data'}/", plugin=found[0] if found else mosquitto.DEBIAN_PLUGIN,
    )  # fmt: skip
    return mosquitto.conf(files, port=port).encode()


def _lost_ca(place: Place) -> str:
    return say(
        f"{place.ca} 不见了，而 {place.server} 还在：从备份恢复它；新的 CA 会使所有电脑连不上。"
        f"若确实要重来，删掉 {place.server}",
        f"{place.ca} is gone while {place.server} is there: restore it from a backup; a new CA "
        f"would lock every PC out. To begin anew all the same, remove {place.server}",
    )

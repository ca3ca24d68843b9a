"""`setup --compose DIR`: what deploy/compose.yaml needs of this city, in its folder.

Settings, data, line keys and the broker's folder stay where they are and are mounted from there,
so that every command of this machine and the containers work on the same files. DIR gets `.env`,
which names them, and `secrets`, with copies for containers that run as other users: the folder is
root's alone, so what lies in it may be readable.
"""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Iterator
from pathlib import Path

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.config import DEFAULT_FILE
from collector.enrol import machine, owned
from collector.enrol.owned import SERVICE, Kind
from collector.enrol.place import Place
from collector.enrol.setting_up import GRAFANA, Step

FILE, VALUES, SECRETS = "compose.yaml", ".env", "secrets"
#: Of the service that ends former credentials, which needs what setup made.
PROFILE = "enrol"
#: The broker's user in the image eclipse-mosquitto.
BROKER_ID = 1883
_FOLDER, _COPY = Kind(0o700), Kind(0o444)
#: Copies, by the name that compose.yaml gives them.
_DRAWN = ("influxdb.password", "influxdb.token")


def check(folder: Path, store: str) -> None:
    """Raise RefusedError where `folder` is none of ours, or this machine is no host for it."""
    if not (folder / FILE).is_file():
        raise RefusedError(
            say(
                f"{folder} 里没有 {FILE}：写源码里的 deploy 文件夹",
                f"no {FILE} in {folder}: name the folder deploy of a clone",
            )
        )
    if store != "influxdb":
        raise RefusedError(
            say(
                "容器用 InfluxDB：加 --store influxdb",
                "the containers use InfluxDB: add --store influxdb",
            )
        )
    if _ids(owned.BROKER, (BROKER_ID, BROKER_ID))[0] != BROKER_ID:
        raise RefusedError(
            say(
                f"本机自己装了 Mosquitto，它的用户不是 {BROKER_ID}：先卸掉，或不用 --compose",
                f"this machine has a Mosquitto of its own, whose user is not {BROKER_ID}: remove"
                " it, or leave out --compose",
            )
        )


def accounts(place: Place) -> Iterator[Step]:
    """The services' user, as which the containers run too; none for a trial in another folder."""
    if place.folder == DEFAULT_FILE.parent:
        yield from machine.accounts(machine.SYSTEMD)


def steps(folder: Path, place: Place, port: int) -> Iterator[Step]:
    """What is missing in `folder`, or of other values. Raises OSError: it cannot be read."""
    yield from _brokers(place)
    into = folder / SECRETS
    for path, kind in ((into, _FOLDER), (line_data(place), Kind(0o750, SERVICE))):
        if not path.is_dir() or owned.foreign(path, kind) or owned.fault(path, kind):
            yield Step(path, say("文件夹", "folder"), lambda at=path, of=kind: owned.folder(at, of))  # type: ignore[misc]
    for name, source in _copies(place).items():
        if not source.exists() or not owned.holds(into / name, source.read_bytes()):
            text = say(f"{source} 的副本", f"copy of {source}")
            yield Step(into / name, text, lambda at=into / name, of=source: _copy(of, at))  # type: ignore[misc]
    for name in _DRAWN:
        if not (into / name).exists():
            text = say("数据库管理员的", "of the database's administrator")
            yield Step(into / name, text, lambda at=into / name: _draw(at))  # type: ignore[misc]
    if not owned.holds(folder / VALUES, _values(place, port)):
        text = say("本市的值", "the city's values")
        yield Step(folder / VALUES, text, lambda: _put_values(folder, place, port))


def start(folder: Path) -> list[str]:
    """The command that starts everything."""
    return [f"docker compose -f {folder / FILE} up -d --build --force-recreate"]


def line_data(place: Place) -> Path:
    """The measurement server's data folder."""
    return place.data.with_name(f"{place.data.name}-lineserver")


def _copies(place: Place) -> dict[str, Path]:
    return {
        "ca.pem": place.ca,
        "mqtt.password": place.password("collector"),
        "lineserver.password": place.password("lineserver"),
        "admin.password": place.password("admin"),
        "grafana.password": place.password(GRAFANA),
    }


def _copy(source: Path, target: Path) -> None:
    owned.put(target, source.read_bytes(), _COPY)


def _draw(path: Path) -> None:
    owned.put(path, f"{secrets.token_hex(32)}\n".encode(), _COPY)


def _values(place: Place, port: int) -> bytes:
    user, group = _ids(SERVICE, (os.geteuid(), os.getegid()))
    found = {
        "FOLDER": place.folder, "SETTINGS": place.config, "CITY": place.data,
        "LINE_KEYS": place.keys,
        "LINE_DATA": line_data(place), "BROKER": place.broker, "PORT": port,
        "USER": f"{user}:{group}",
    }  # fmt: skip
    rows = [f"SCHOOLPULSE_{name}='{value}'\n" for name, value in found.items()]
    head = f"# Written by schoolpulse setup --compose\nCOMPOSE_PROFILES={PROFILE}\n"
    return "".join([head, *rows]).encode()


def _put_values(folder: Path, place: Place, port: int) -> None:
    owned.put(folder / VALUES, _values(place, port), owned.OPEN)


def _brokers(place: Place) -> Iterator[Step]:
    """The broker's folder belongs to the user of its image."""
    if os.geteuid() != 0:
        return
    paths = (place.broker, place.broker / "data", place.server, place.server_key, place.accounts)
    for path in paths:
        if not path.exists() or path.stat().st_uid != BROKER_ID:
            text = say(f"属于用户 {BROKER_ID}", f"owned by user {BROKER_ID}")
            yield Step(path, text, lambda at=path: _give(at))  # type: ignore[misc]


def _give(path: Path) -> None:
    os.chown(path, BROKER_ID, BROKER_ID, follow_symlinks=False)


def _ids(name: str, otherwise: tuple[int, int]) -> tuple[int, int]:
    """The numbers of a user and its group."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return otherwise
    return found.pw_uid, found.pw_gid

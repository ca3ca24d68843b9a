"""What runs the city's services on this machine: accounts, units of systemd, and what to start.

Units are ours and are brought up to date; changes of one's own belong into `systemctl edit`.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from agent.common.language import say
from collector import secret_files, units
from collector.addresses import is_local_url
from collector.config import DEFAULT_FILE, Config
from collector.enrol import drop_ins, owned
from collector.enrol.drop_ins import SBIN
from collector.enrol.owned import OPEN
from collector.enrol.place import SERVICES, Place, password_name
from collector.enrol.setting_up import PLUGINS, Step
from collector.secret_files import COLLECTOR, ENROL, LINESERVER, WEB

SYSTEMD = Path("/etc/systemd/system")
#: The keeper is part of the collector; its own unit is for a machine of its own.
_RUN = (COLLECTOR, LINESERVER, ENROL)
#: The pages' unit is there for whoever wants it started.
_UNITS = (*_RUN, WEB)
_ANSWER_S = 10


def default_units(folder: Path) -> Path | None:
    """Where the units go unless told: systemd's folder, for root, with the usual settings folder.

    Anything else is a trial, and writes none.
    """
    usual = folder == DEFAULT_FILE.parent and os.geteuid() == 0
    return SYSTEMD if usual and Path("/run/systemd/system").is_dir() else None


def accounts(folder: Path | None) -> Iterator[Step]:
    """The services' user and group, where the units are this machine's own."""
    if folder != SYSTEMD or os.geteuid() != 0:
        return
    try:
        pwd.getpwnam(owned.SERVICE)
    except KeyError:
        text = say(f"系统用户 {owned.SERVICE}", f"system user {owned.SERVICE}")
        yield Step(Path("/etc/passwd"), text, _make_accounts)


def _make_accounts() -> None:
    user = ["useradd", "--system", "--user-group", "--home-dir", "/var/lib/schoolpulse",
            "--shell", "/usr/sbin/nologin", owned.SERVICE]  # fmt: skip
    for words in (["groupadd", "--system", "--force", owned.KEYS], user):
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


def steps(folder: Path | None, place: Place, store: str, url: str) -> Iterator[Step]:
    """The units and drop-ins that are missing or of another version; none: no systemd.

    `url`: of the database, where `store` is one.

    Raises:
        OSError: one that is there cannot be read.
    """
    if folder is None:
        return
    wanted = {folder / units.name(one): _unit(one, place, store) for one in _UNITS}
    influxd = _influxd(url) if store == "influxdb" else ""
    wanted |= drop_ins.texts(folder, place, influxd, urlsplit(url).port or drop_ins.PORT)
    for path in drop_ins.former(folder):
        yield Step(path, say("删除旧的", "the former one is removed"), path.unlink)
    for path, text in wanted.items():
        if not owned.holds(path, text.encode()):
            what = say("服务单元", "unit of systemd")
            yield Step(path, what, lambda at=path, made=text: _put(at, made))  # type: ignore[misc]


def _put(path: Path, text: str) -> None:
    owned.folder(path.parent, owned.Kind(0o755)) if not path.parent.is_dir() else None
    owned.put(path, text.encode(), OPEN)


def _unit(one: str, place: Place, store: str) -> str:
    """The passwords are drawn by setup before, and the token where the store takes one."""
    drawn = {password_name(service) for service in SERVICES}
    if store == "influxdb" or place.token.exists():
        drawn.add(place.token.name)
    lacking = {secret.file for secret in secret_files.CITY} - drawn
    return units.text(
        one, program=program(), folder=str(place.folder), lacking=lacking,
        data=str(place.data), keys=str(place.keys),
    )  # fmt: skip


def program() -> str:
    """The command `schoolpulse` of this installation."""
    here = Path(sys.prefix, "bin", "schoolpulse")
    return str(here) if here.exists() else units.PROGRAM


def missing(store: str, host: str) -> list[str]:
    """What this machine has and lacks, a line each; Debian's name of the package where it lacks.

    `host`: the name under which its services look for the broker; empty: not to be looked up.
    """
    wanted = {"mosquitto": "mosquitto", "grafana-server": "grafana", "nginx": "nginx"}
    if store == "influxdb":
        wanted["influxd"] = "influxdb"
    found = []
    for name, package in wanted.items():
        if path := shutil.which(name, path=SBIN):
            found.append(f"✓ {name}: {_version(path) if name == 'influxd' else path}")
        else:
            found.append(f"- {name}: {_how(name, package)}")
    if shutil.which("mosquitto", path=SBIN) and not glob.glob(PLUGINS):
        lack = say("缺少插件", "the plugin is missing")
        found.append(f"- {PLUGINS}: {lack}; apt install mosquitto")
    return [*found, *([_address(host)] if host else [])]


def _address(host: str) -> str:
    try:
        found = {str(row[4][0]) for row in socket.getaddrinfo(host, None)}
    except OSError:
        lack = say(
            f"本机查不到它的地址，而各服务要用它连接：在 DNS 或 /etc/hosts 里加上 {host}",
            f"no address is known here, and the services connect to it: add {host} to DNS or "
            "/etc/hosts",
        )
        return f"✗ {host}: {lack}"
    return f"✓ {host}: {', '.join(sorted(found))}"


def _how(name: str, package: str) -> str:
    """What ends the lack of it, and whether anything needs it."""
    if name == "grafana-server":
        text = ("没有；看板需要它，由 Grafana 自己的软件源安装", "none; the boards need it, from Grafana's own packages")  # fmt: skip  # noqa: E501
        return say(*text)
    if name == "nginx":
        return say("没有；只有要用反向代理时才需要：apt install nginx", "none; only for a reverse proxy: apt install nginx")  # fmt: skip  # noqa: E501
    return say(f"没有：apt install {package}", f"none: apt install {package}")


def _influxd(url: str) -> str:
    """What the database of this machine calls itself; empty where another's is used, or none."""
    path = shutil.which("influxd", path=SBIN)
    return _version(path) if path and is_local_url(url) else ""


def _version(path: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            [path, "version"], capture_output=True, text=True, timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return path
    return (done.stdout.strip().splitlines() or [path])[0]


def beside(known: Config, store: str) -> list[str]:
    """The units of other packages that this machine's services need; `known`: the settings."""
    broker = [] if known.mqtt.hivemq else ["mosquitto"]
    return broker + (["influxdb"] if store == "influxdb" and _influxd(known.store.url) else [])


def start(folder: Path | None, place: Place, others: Sequence[str]) -> list[str]:
    """The commands that start everything: by systemd, else each in a terminal of its own."""
    if folder == SYSTEMD:
        names = " ".join([*others, *(units.name(one).removesuffix(".service") for one in _RUN)])
        return [
            "systemctl daemon-reload",
            f"systemctl enable {names}",
            f"systemctl restart {names}",
            "schoolpulse doctor --fix",
        ]
    own, settings = program(), f"--config {place.config}"
    line_data = place.data.with_name(f"{place.data.name}-lineserver")
    return [
        f"mosquitto -c {place.broker / 'mosquitto.conf'}",
        f"{own} collect {settings}",
        f"{_as('lineserver', place)} SCHOOLPULSE_DATA={line_data} {own} lineserver {settings}",
        f"{_as('admin', place)} {own} enrol settle --every 3600 {settings}",
    ]


def _as(service: str, place: Place) -> str:
    return (
        f"SCHOOLPULSE_MQTT_USERNAME={service} "
        f"SCHOOLPULSE_MQTT_PASSWORD_FILE={place.password(service)}"
    )

"""The city's systemd units; `python -m collector.units FOLDER` writes those of deploy/systemd."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from agent.common import systemd_unit
from agent.common.systemd_unit import Unit, quoted
from collector import secret_files
from collector.secret_files import COLLECTOR, ENROL, KEEPER, LINESERVER, WEB

UNITS = (COLLECTOR, KEEPER, LINESERVER, ENROL, WEB)
PROGRAM = "/opt/schoolpulse/bin/schoolpulse"
_SETTINGS = "collector.toml"
DATA = "/var/lib/schoolpulse"
LINE_KEYS = f"{systemd_unit.FOLDER}/line-keys"

#: A fixed user, not a dynamic one: people import the register and write reports as it.
_FIXED = """\
RestartSec=5
# It stops within 5 s by itself; what is not done yet is done again.
TimeoutStopSec=10
# A fixed user, not a dynamic one: people import the register and write reports as it.
User=schoolpulse
Group=schoolpulse
StateDirectory=schoolpulse
StateDirectoryMode=0750
"""
_LINESERVER = """\
RestartSec=5
TimeoutStopSec=10
DynamicUser=yes
StateDirectory=schoolpulse-lineserver
StateDirectoryMode=0700
# The schools' keys (lines.keys) are readable for this group:
# groupadd --system schoolpulse-keys
# install -d -m 2750 -g schoolpulse-keys /etc/schoolpulse/line-keys
SupplementaryGroups=schoolpulse-keys
# A test uses about ten connections.
LimitNOFILE=8192
"""
_LINE_KEYS = """\
# The keys that it ends lie there.
ReadWritePaths=-/etc/schoolpulse/line-keys
"""


def name(unit: str) -> str:
    """The unit's name for systemctl."""
    return f"schoolpulse-{unit}.service"


def text(
    unit: str,
    *,
    program: str = PROGRAM,
    folder: str = systemd_unit.FOLDER,
    lacking: Collection[str] = (),
    data: str = DATA,
    keys: str = LINE_KEYS,
) -> str:
    """The unit `unit` of UNITS.

    `program`: the command `schoolpulse`; `folder`: of settings and secrets; `lacking`: the files of
    secrets that are not there, such as the token of a store that needs none, as systemd starts no
    service whose secret it cannot read; `data`, `keys`: the folders of data and of line keys.

    Raises:
        KeyError: there is no such unit.
    """
    secrets = [secret for secret in secret_files.of(unit) if secret.file not in lacking]
    made = _moved(_MADE[unit](quoted([program]), quoted([f"{folder}/{_SETTINGS}"])), data, keys)
    return systemd_unit.text(
        made._replace(
            copies=[(secret.credential, secret.file) for secret in secrets],
            variables=[
                *made.variables,
                *((secret.variable, f"%d/{secret.credential}") for secret in secrets),
            ],
        ),
        folder,
    )


def _moved(made: Unit, data: str, keys: str) -> Unit:
    """With other folders than the usual ones, which a service may write only where it is told."""
    own = made.own.replace(LINE_KEYS, keys)
    if data == DATA or ("SCHOOLPULSE_DATA", DATA) not in made.variables:
        return made._replace(own=own)
    variables = [(key, data if value == DATA else value) for key, value in made.variables]
    return made._replace(own=f"{own}ReadWritePaths={quoted([data])}\n", variables=variables)


def _collector(program: str, settings: str) -> Unit:
    return Unit(
        description="SchoolPulse collector: reports in, store, receipts out",
        settings=_SETTINGS,
        after="network-online.target mosquitto.service influxdb.service",
        start=f"{program} collect --config {settings}",
        own=_FIXED,
        purpose="It speaks to broker and database and writes its folder: nothing more.",
        variables=[("SCHOOLPULSE_DATA", "/var/lib/schoolpulse")],
    )


def _keeper(program: str, settings: str) -> Unit:
    return Unit(
        description="SchoolPulse keeper: days, roll-ups and indicators, beside other collectors",
        settings=_SETTINGS,
        after="network-online.target influxdb.service",
        start=f"{program} collect --role keeper --config {settings}",
        own=_FIXED,
        purpose="It speaks to the database and writes its folder: nothing more.",
        variables=[("SCHOOLPULSE_DATA", "/var/lib/schoolpulse")],
    )


def _lineserver(program: str, settings: str) -> Unit:
    return Unit(
        description="SchoolPulse measurement server: what every line of the city is tested against",
        settings=_SETTINGS,
        after="network-online.target mosquitto.service",
        start=f"{program} lineserver --config {settings} --port 8095",
        own=_LINESERVER,
        purpose="It listens to the schools and speaks to the broker: nothing more.",
        variables=[
            ("SCHOOLPULSE_MQTT_USERNAME", "lineserver"),
            ("SCHOOLPULSE_DATA", "/var/lib/schoolpulse-lineserver"),
        ],
    )


def _enrol(program: str, settings: str) -> Unit:
    return Unit(
        description="SchoolPulse enrolment: ends former credentials once the PCs have moved",
        settings=_SETTINGS,
        after="network-online.target mosquitto.service influxdb.service",
        start=f"{program} enrol settle --every 3600 --config {settings}",
        own=_FIXED + _LINE_KEYS,
        purpose="It speaks to broker and database, writes its folder and the keys: nothing more.",
        variables=[
            ("SCHOOLPULSE_MQTT_USERNAME", "admin"),
            ("SCHOOLPULSE_DATA", "/var/lib/schoolpulse"),
        ],
    )


def _web(program: str, settings: str) -> Unit:
    return Unit(
        description="SchoolPulse pages: the city in a browser, read only",
        settings=_SETTINGS,
        after="network-online.target influxdb.service",
        start=f"{program} web --config {settings}",
        own=_FIXED,
        purpose="It asks the database, listens to readers and writes its folder: nothing more.",
        variables=[("SCHOOLPULSE_DATA", "/var/lib/schoolpulse")],
    )


_MADE = {
    COLLECTOR: _collector,
    KEEPER: _keeper,
    LINESERVER: _lineserver,
    ENROL: _enrol,
    WEB: _web,
}

if __name__ == "__main__":
    for one in UNITS:
        Path(sys.argv[1], name(one)).write_text(text(one), encoding="utf-8")

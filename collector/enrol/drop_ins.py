"""What `setup` adds to the units of other packages: files beside them, read by systemd after them.

Their names begin with digits, so that `systemctl edit`, whose file is override.conf, has the last
word.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from agent.common.systemd_unit import hardening, quoted
from collector.enrol import owned
from collector.enrol.place import Place

PORT = 8086  # where InfluxDB is, unless the settings say otherwise
#: Where daemons lie, often not on a user's PATH.
SBIN = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
_NAME = "10-schoolpulse.conf"
#: As they were called before; systemd would read both.
_FORMER = ("mosquitto.service.d/schoolpulse.conf",)
#: What mosquitto.conf cannot bound; deploy/mosquitto/limits.conf is this text.
LIMITS = f"""\
# What mosquitto.conf cannot bound: /etc/systemd/system/mosquitto.service.d/{_NAME}
[Service]
# Above max_connections, or silent connections shut everybody out.
LimitNOFILE=40000
# All that the broker allocates, above what the queues of mosquitto.conf and 20,000 PCs come to.
# Beyond it memory is refused and whoever asked for it loses the connection, also who logs in; the
# broker survives. Not memory_limit: see mosquitto.conf.
LimitDATA=2G
# Should that fail: end the broker before it takes the memory of the rest. Agents come back.
MemoryMax=2500M
Restart=on-failure
RestartSec=1
"""
#: Values of influxdb.conf, as InfluxDB 1.x takes them from its environment.
_INFLUXDB = """\
# What SchoolPulse needs of InfluxDB 1.x; stronger than /etc/influxdb/influxdb.conf.
[Service]
# Without accounts it takes any token, so nobody but this machine may reach it.
Environment=INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:{port}
# 100,000 values of a tag are its own limit: the devices of 20,000 PCs exceed it.
Environment=INFLUXDB_DATA_MAX_VALUES_PER_TAG=0
# A line in the journal for each request is more than the reports themselves.
Environment=INFLUXDB_HTTP_LOG_ENABLED=false
Environment=INFLUXDB_DATA_QUERY_LOG_ENABLED=false
Environment=INFLUXDB_REPORTING_DISABLED=true
# What a database never needs, wherever its data lies (which may be /home).
NoNewPrivileges=yes
ProtectSystem=full
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
PrivateTmp=yes
"""


def texts(folder: Path, place: Place, influxd: str, port: int) -> dict[Path, str]:
    """The files below `folder` of systemd, and their texts.

    `influxd`: the version that the database here calls itself, empty where none is used; `port`:
    where it is asked.
    """
    made = {folder / "mosquitto.service.d" / _NAME: mosquitto(place)}
    if influxd.startswith("InfluxDB v1"):
        made[folder / "influxdb.service.d" / _NAME] = _INFLUXDB.format(port=port)
    return made


def former(folder: Path) -> list[Path]:
    """Those that an earlier version left there."""
    return [path for name in _FORMER if (path := folder / name).exists()]


def mosquitto(place: Place) -> str:
    """For Debian's mosquitto.service: our settings file, the limits, and the rights of its own."""
    binary = shutil.which("mosquitto", path=SBIN) or "/usr/sbin/mosquitto"
    return f"""\
{LIMITS}\
# The city's settings instead of the system's.
ExecStart=
ExecStart={quoted([binary, "-c", str(place.broker / "mosquitto.conf")])}

# As its own user from the start, for that settings file asks for nothing that only root may do.
User={owned.BROKER}
Group={owned.BROKER}
ExecStartPre=
# It listens to the schools and writes its folder: nothing more.
{hardening("CapabilityBoundingSet", "AmbientCapabilities")}\
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ReadWritePaths={quoted([str(place.broker)])}
LogsDirectory=mosquitto
"""

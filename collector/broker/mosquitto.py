"""The settings file of Mosquitto, each bound with what it is for. Pure."""

from __future__ import annotations

from typing import NamedTuple

#: Where Debian has the plugin; the container's image has it elsewhere.
DEBIAN_PLUGIN = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
IMAGE_PLUGIN = "/usr/lib/mosquitto_dynamic_security.so"


class Files(NamedTuple):
    """What the broker reads and writes; `accounts` and `data` it must be able to write."""

    certificate: str = "/etc/mosquitto/schoolpulse/server.pem"
    key: str = "/etc/mosquitto/schoolpulse/server.key"
    accounts: str = "/var/lib/mosquitto/dynamic-security.json"
    data: str = "/var/lib/mosquitto/"
    plugin: str = DEBIAN_PLUGIN


class Bounds(NamedTuple):
    """What one city's broker may use; the defaults are for 20,000 PCs on a machine of 4 GB."""

    connections: int = 30_000
    queued_messages: int = 4000
    queued_bytes: int = 64_000_000
    inflight: int = 200
    packet: int = 270_000
    keepalive_s: int = 120


#: The files as the container of deploy/compose.yaml sees them.
IMAGE_FILES = Files(
    certificate="/mosquitto/secrets/server.pem",
    key="/mosquitto/secrets/server.key",
    accounts="/mosquitto/accounts/dynamic-security.json",
    data="/mosquitto/data/",
    plugin=IMAGE_PLUGIN,
)

_DEBIAN, _BOUNDED = Files(), Bounds()

_ACCESS = """\
# The city's broker: TLS, a credential a school, a literal role for each. Written by
# collector/broker/mosquitto.py.
allow_anonymous false
# Off, or last wills break before 2.0.13.
per_listener_settings false

# Accounts and roles: what no role allows is denied, subscribing too. The broker writes this file
# anew at every change: edit it while the broker is stopped, or not at all.
plugin {plugin}
plugin_opt_config_file {accounts}
"""

_LISTENER = """
listener {port}{address}
{protocol}certfile {certificate}
keyfile {key}
tls_version tlsv1.2
# Silent connections count too, until 90 s without CONNECT have passed. LimitNOFILE of the unit must
# be higher; deploy/nftables bounds the connections of one address.
max_connections {connections}
max_topic_alias 0
"""

_BOUNDS = """
# There is no memory_limit: the plugin frees what was never counted at each change of an account,
# the count passes below zero, and from then on the broker refuses everybody. Memory is bounded by
# these queues, and in all by LimitDATA of the unit or ulimits of the container: what asks for more
# is refused, and its sender loses the connection.
#
# The queue to each client. At QoS 0 only the number of messages is bounded, so this times
# max_packet_size is what a flood can make one slow client's queue hold. What is dropped is sent
# again by its agent, which got no receipt. Watch $SYS/broker/publish/messages/dropped.
max_queued_messages {queued_messages}
max_queued_bytes {queued_bytes}
max_inflight_messages {inflight}
queue_qos0_messages false

# The wire's own limit is 256 KiB; a little room for the topic.
max_packet_size {packet}
# An agent pings each 60 s; 0, for ever, is lowered to this.
max_keepalive {keepalive_s}
"""

_REST = """
# Retained policies and presences survive a restart; the default saves each half hour.
persistence true
persistence_location {data}
autosave_interval 60
# Agents and collectors begin clean sessions: whoever leaves one behind does so on purpose.
persistent_client_expiration 1h

sys_interval 10
log_dest {log}
log_type error
log_type warning
log_type notice
connection_messages false
"""


def conf(
    files: Files = _DEBIAN,
    bounds: Bounds = _BOUNDED,
    *,
    port: int = 8883,
    address: str = "",
    websocket_port: int | None = None,
    log: str = "stderr",
) -> str:
    """mosquitto.conf; `websocket_port`: MQTT over WebSocket with TLS there too, such as 443."""
    listeners = [(port, "")]
    if websocket_port is not None:
        listeners.append((websocket_port, "protocol websockets\n"))
    words = files._asdict() | bounds._asdict() | {"log": log}
    words["address"] = f" {address}" if address else ""
    parts = [
        _ACCESS,
        *(_LISTENER.replace("{port}", str(at)).replace("{protocol}", how) for at, how in listeners),
        _BOUNDS,
        _REST,
    ]
    return "".join(part.format(**words) for part in parts)

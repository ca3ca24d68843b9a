"""The demo's broker: mosquitto if installed, else amqtt; it listens on this machine only."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import sys
from pathlib import Path
from typing import Literal

from agent.common.language import say
from collector.demo.children import DemoError

Kind = Literal["mosquitto", "amqtt"]
HOST = "127.0.0.1"
#: Folders of daemons, often not on a user's PATH.
_DAEMONS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"

#: Each broker's MQTT version: asking amqtt for 5 would delay every connection by seconds.
PROTOCOL = {"mosquitto": "5", "amqtt": "3.1.1"}

_MOSQUITTO = """listener {port} {host}
allow_anonymous true
persistence false
max_queued_messages 100000
sys_interval 1
log_dest stdout
"""
_AMQTT = """listeners:
  default:
    type: tcp
    bind: {host}:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


def free_port() -> int:
    """A TCP port that is free on this machine now."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        return int(held.getsockname()[1])


def port_from(first: int) -> int:
    """The first free TCP port from `first` on: below those that outgoing connections take."""
    for port in range(first, first + 1000):
        with socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind((HOST, port))
            except OSError:
                continue
            return port
    return free_port()


def listens(port: int) -> bool | None:
    """True if something accepts connections on `port`, else None."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return None
    return True


def choose(wanted: Kind | None) -> Kind:
    """The broker to use.

    Raises:
        DemoError: `wanted`, or any broker, is not installed.
    """
    if _mosquitto() and wanted in (None, "mosquitto"):
        return "mosquitto"
    if importlib.util.find_spec("amqtt") and wanted in (None, "amqtt"):
        return "amqtt"
    raise DemoError(
        say(
            f"没有可用的消息服务 {wanted or ''}：在源码目录运行 pip install '.[all]' 会装上 amqtt",
            f"no broker {wanted or ''}: pip install '.[all]' in the source folder installs amqtt",
        )
    )


def argv(kind: Kind, port: int, folder: Path) -> list[str]:
    """Write the broker's settings to `folder`; returns the command that starts it."""
    template = _MOSQUITTO if kind == "mosquitto" else _AMQTT
    settings = folder / f"{kind}.conf"
    settings.write_text(template.format(port=port, host=HOST), "utf-8")
    if kind == "mosquitto":
        return [_mosquitto() or kind, "-c", str(settings)]
    return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(settings)]


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_DAEMONS)

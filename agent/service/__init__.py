"""The agent as a system service: installed, started, stopped, uninstalled."""

from agent.service.service import (
    Late,
    Refused,
    check,
    command,
    current,
    handed,
    install,
    start,
    stop,
    uninstall,
)

__all__ = [
    "Late",
    "Refused",
    "check",
    "command",
    "current",
    "handed",
    "install",
    "start",
    "stop",
    "uninstall",
]

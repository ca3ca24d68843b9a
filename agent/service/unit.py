"""The agent's systemd unit; `sample` is that of deploy/systemd (`make docs`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.common import secret_files, systemd_unit
from agent.common.systemd_unit import Unit, quoted

_OWN = """\
RestartSec=10
DynamicUser=yes
StateDirectory=schoolpulse-agent
StateDirectoryMode=0700
RuntimeDirectory=schoolpulse

# Nobody at the PC may notice it.
Nice=19
IOSchedulingClass=idle
CPUWeight=10
MemoryHigh=64M
TasksMax=32

# Settings and secrets: nobody but root can read the files, and nobody but it the copies.
"""
_PROGRAM = "/opt/schoolpulse/bin"


def text(start: Sequence[str], copies: Sequence[str]) -> str:
    """The unit that runs `start` with the words for `run` after it.

    `copies` are the files in the folder of the settings that the agent gets.
    """
    helper = quoted([start[0], "-m", "agent.identity"]) if len(start) > 1 else ""
    named = {secret.file: secret.variable for secret in secret_files.AGENT}
    return systemd_unit.text(
        Unit(
            description="SchoolPulse agent: reports the line and the equipment of this PC",
            settings=secret_files.SETTINGS,
            after="network-online.target",
            start=f"{quoted(start)} run",
            own=_OWN,
            purpose="It reads /sys and /proc, writes its outbox, speaks to the broker: no more.",
            families="AF_INET AF_INET6 AF_UNIX AF_NETLINK",
            hides_processes=False,
            helper=helper,
            copies=[(file, file) for file in copies],
            variables=[
                ("SCHOOLPULSE_DATA", "/var/lib/schoolpulse-agent"),
                *((named[file], f"%d/{file}") for file in copies if file in named),
            ],
        )
    )


def sample() -> str:
    """That of an installation in /opt/schoolpulse with a bundle's files."""
    return text([f"{_PROGRAM}/python", "-m", "agent.cli"], secret_files.agent_files())

"""The systemd unit that all services of ours come from: hardened alike, secrets as copies. Pure.

`systemd-analyze security` puts each at 2.0 or less, which tests/deploy holds. Secrets lie with root
alone in the folder of the settings; systemd hands copies to the service that may read them
(`LoadCredential`, from systemd 247 on).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

#: Where the settings and secrets lie.
FOLDER = "/etc/schoolpulse"

_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
"""


class Unit(NamedTuple):
    """What a service's unit says beyond what all say."""

    description: str
    settings: str  # the name of its settings file
    after: str  # what it starts after
    start: str  # the whole command line
    own: str  # lines of [Service] about how it runs
    purpose: str  # one comment line: what it needs
    families: str = "AF_INET AF_INET6 AF_UNIX"
    hides_processes: bool = True
    helper: str = ""  # a command line that runs before, as root
    copies: Sequence[tuple[str, str]] = ()  # name of the copy, name of the file
    variables: Sequence[tuple[str, str]] = ()


def text(unit: Unit, folder: str = FOLDER) -> str:
    """The unit's text; its copies come from `folder`."""
    return "\n".join(
        (
            "[Unit]",
            f"Description={unit.description}",
            f"Documentation=file:{folder}/{unit.settings}",
            "Wants=network-online.target",
            f"After={unit.after}",
            "",
            "[Service]",
            *_start(unit),
            "Restart=always",
            unit.own.rstrip(),
            *(f"LoadCredential={name}:{folder}/{file}" for name, file in unit.copies),
            *(f"Environment={name}={value}" for name, value in unit.variables),
            "",
            f"# {unit.purpose}",
            _HARDENING.rstrip(),
            *(["ProtectProc=invisible"] if unit.hides_processes else []),
            f"RestrictAddressFamilies={unit.families}",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        )
    )


def hardening(*without: str) -> str:
    """The lines that all services have, but for these settings."""
    lines = _HARDENING.splitlines(keepends=True)
    return "".join(line for line in lines if line.partition("=")[0] not in without)


def _start(unit: Unit) -> Iterable[str]:
    if unit.helper:
        yield "# As root (the +), for only root may read the firmware's serials: the facts go to"
        yield "# /run/schoolpulse, and the service has the same machine id without any right."
        yield f"ExecStartPre=+{unit.helper}"
    yield f"ExecStart={unit.start}"


def quoted(words: Iterable[str]) -> str:
    """A command line as units have it: blanks, quotes and specifiers in a word are kept."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    if not any(char in word for char in " \t'\";"):
        return escaped
    return '"' + escaped.replace('"', '\\"') + '"'

"""A school's bundle, as the city writes it: keys drawn, a CA of its own."""

from __future__ import annotations

import secrets
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import services

SCHOOL = "9963020001"
ROOMS = ("101", "机房")


def ca(folder: Path, name: str = "city") -> tuple[Path, Path]:
    """The certificate of a new CA, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [services.require("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
         "-subj", f"/CN={name}", "-out", str(made[0]), "-keyout", str(made[1])],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def settings(school: str = SCHOOL, *, username: str = "", more: str = "", port: int = 8883) -> str:
    """A bundle's agent.toml; `more` stands before its tables."""
    return f"""school = "{school}"
{more}
[broker]
host = "127.0.0.1"
port = {port}
username = "{username or school}"
tls = true
ca = "ca.pem"
password_file = "broker.password"
generation = 1
[line]
key_file = "line.key"
[identity]
source_key_file = "source.key"
"""


def files(folder: Path, school: str = SCHOOL) -> dict[str, bytes]:
    """By name, all that a bundle holds."""
    rooms = "room,name\n" + "".join(f"{room},{room} 教室\n" for room in ROOMS)
    return {
        "agent.toml": settings(school).encode(),
        "ca.pem": ca(folder)[0].read_bytes(),
        "broker.password": secrets.token_urlsafe(24).encode() + b"\n",
        "line.key": secrets.token_hex(32).encode() + b"\n",
        "source.key": secrets.token_hex(32).encode() + b"\n",
        "rooms.csv": rooms.encode("utf-8-sig"),
        "安装说明.html": "<p>安装</p>".encode(),
    }


def write(path: Path, found: Mapping[str, bytes]) -> Path:
    """A zip of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return path

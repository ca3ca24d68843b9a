"""A school's bundle: one zip with all that its PCs are installed from.

The same school, credential and settings give the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from agent.common.language import say
from agent.common.printable import shown
from collector.config import Report
from collector.enrol.state import Credential
from collector.release.key import settings_row
from collector.roster.register import Room, School
from collector.sheet_cells import kept

GUIDE = "安装说明.html"
#: No zip is older; the date is nobody's, so that the bytes stay the same.
_DATE = (1980, 1, 1, 0, 0, 0)
_READABLE, _SECRET = 0o100644 << 16, 0o100600 << 16


class Content(NamedTuple):
    """What a bundle is made of. `ca` is PEM with one certificate or more."""

    school: School
    rooms: Sequence[Room]
    credential: Credential
    ca: bytes
    host: str
    port: int
    contact: Report
    release_key: str = ""  # public, in hex: whose new versions the PCs take; empty: none
    line_server: str = ""


def file_name(school: str) -> str:
    """The name of a school's bundle."""
    return f"schoolpulse-{school}.zip"


def build(content: Content) -> bytes:
    """The zip."""
    held = content.credential
    files = {
        "agent.toml": settings(content).encode(),
        "ca.pem": content.ca,
        "broker.password": _line(held.password),
        "line.key": _line(held.line_key),
        "source.key": _line(held.source_key),
        "rooms.csv": rooms(content.rooms),
        GUIDE: guide(content).encode(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # Unix: the rights are in external_attr
            entry.external_attr = _SECRET if name.endswith((".password", ".key")) else _READABLE
            bundle.writestr(entry, data)
    return out.getvalue()


def settings(content: Content) -> str:
    """agent.toml. Only what the school's policy cannot say: a value here would hide the city's."""
    held, comment = content.credential, shown(content.school.name, None)
    return f"""\
# SchoolPulse: {comment}
school = {_quoted(held.school)}

[broker]
host = {_quoted(content.host)}
port = {content.port}
username = {_quoted(held.username)}
password_file = "broker.password"
generation = {held.generation}
tls = true
ca = "ca.pem"

[line]
key_file = "line.key"

[identity]
source_key_file = "source.key"
""" + (f"\n{settings_row(content.release_key)}" if content.release_key else "")


def rooms(found: Sequence[Room]) -> bytes:
    """rooms.csv: what may be written for `room`, for people and Excel (a BOM, and no formulas)."""
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow(["room", "name"])
    sheet.writerows([row.room, kept(row.name)] for row in found)
    return out.getvalue().encode("utf-8-sig")


def guide(content: Content) -> str:
    """安装说明.html: one page to print, Chinese and English."""
    import jinja2

    loader = jinja2.PackageLoader("collector.enrol", "")
    pages = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    contact = content.contact
    who = " ".join(filter(None, (contact.unit, contact.person, contact.phone)))
    return pages.get_template("guide.html.j2").render(
        school=content.school, bundle=file_name(content.school.code), host=content.host,
        port=content.port, rooms=len(content.rooms), contact=who, line=_where(content.line_server),
    )  # fmt: skip


def _where(url: str) -> str:
    """Host and port of a URL, as a firewall's administrator needs them."""
    parts = urlsplit(url)
    ported = parts.netloc.rpartition("]")[2].partition(":")[2]
    return (
        parts.netloc
        if ported
        else parts.netloc and f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"
    )


def _line(secret: str) -> bytes:
    return f"{secret}\n".encode()


def _quoted(value: str) -> str:
    """A basic string of TOML, which escapes as JSON does, and DEL besides."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def unknown_host() -> str:
    """What to do where nobody knows under which name the schools reach the broker."""
    return say(
        "不知道学校用什么名称连接消息服务器：先运行 schoolpulse setup --name",
        "under which name do the schools reach the broker? Run schoolpulse setup --name first",
    )

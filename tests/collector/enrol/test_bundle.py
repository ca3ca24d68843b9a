"""A school's bundle: read back by the agent, the same bytes each time, harmless names."""

from __future__ import annotations

import csv
import io
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.service import bundle as installer
from collector import sheet_cells
from collector.config import Report
from collector.enrol import bundle, pki
from collector.enrol.bundle import GUIDE, Content
from collector.enrol.state import Credential
from collector.roster.register import Room, School

CODE = "0063020001"
CA = pki.new_ca(pki.new_key(), pki.dt.datetime(2026, 9, 1, tzinfo=pki.dt.UTC))
HOSTILE = [
    "示例小学", "བོད་ལྗོངས 😀 𠮷", '"\\quoted\\"', "line\nbroker.host = 'evil'",
    "\u2028x\u0085y\x1b[31m",
    "<script>alert(1)</script>", "{{ 7*7 }}{% raw %}", "=1+1", "#x", "'''", "\x7f",
]  # fmt: skip


def credential(generation: int = 1) -> Credential:
    return Credential(CODE, generation, "a" * 64, "b" * 64, "c" * 64, 0, "test")


def content(name: str = "示例小学", generation: int = 1, **more: Any) -> Content:
    school = School(CODE, name, "630102", "小学", "630102")
    rooms = [
        Room(CODE, "本部", "101", "一年级(1)班", "普通教室"),
        Room(CODE, "本部", "102", name, ""),
    ]
    given = {"ca": CA, "host": "broker.city", "port": 8883, "contact": Report()} | more
    return Content(school, rooms, credential(generation), **given)


def unpacked(made: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(made)) as found:
        assert found.testzip() is None
        found.extractall(folder)
    for secret in folder.glob("*.key"):
        secret.chmod(0o400)
    (folder / "broker.password").chmod(0o400)
    return folder


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("generation", [1, 7])
def test_the_agent_reads_its_own_settings_from_it(
    name: str, generation: int, tmp_path: Path
) -> None:
    folder = unpacked(bundle.build(content(name, generation)), tmp_path)
    config, warnings = load(str(folder / "agent.toml"))
    assert warnings == []
    assert config.school == CODE
    broker = config.broker
    assert (broker.host, broker.port, broker.tls) == ("broker.city", 8883, True)
    assert broker.username == (CODE if generation == 1 else f"{CODE}-7")
    assert broker.password == "a" * 64
    assert broker.generation == generation
    assert Path(broker.ca).read_bytes() == CA
    assert config.line.key() == "b" * 64
    assert config.identity.source_key() == bytes.fromhex("c" * 64)
    # What the city may change later comes by policy: a value here would hide it for ever.
    assert config.line.server == ""


def test_it_names_the_key_of_new_versions_where_the_city_has_one(tmp_path: Path) -> None:
    made = unpacked(bundle.build(content(release_key="ab" * 32)), tmp_path)
    config, warnings = load(str(made / "agent.toml"))
    assert (config.update.public_key, warnings) == ("ab" * 32, [])
    assert "[update]" not in bundle.settings(content())


@pytest.mark.parametrize("name", HOSTILE)
def test_the_installer_takes_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / bundle.file_name(CODE)
    path.write_bytes(bundle.build(content(name)))
    assert installer.read(path).school == CODE


def test_the_same_makes_the_same_bytes_and_only_secrets_differ_otherwise() -> None:
    assert bundle.build(content()) == bundle.build(content())
    one, two = (zipfile.ZipFile(io.BytesIO(bundle.build(content(generation=n)))) for n in (1, 2))
    changed = {name for name in one.namelist() if one.read(name) != two.read(name)}
    assert changed == {"agent.toml"}  # here the secrets are the same
    assert {info.date_time for info in one.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_is_flat_and_its_secrets_are_their_owner_s_alone() -> None:
    found = zipfile.ZipFile(io.BytesIO(bundle.build(content())))
    assert found.namelist() == [
        "agent.toml", "ca.pem", "broker.password", "line.key", "source.key", "rooms.csv", GUIDE,
    ]  # fmt: skip
    secret = {"broker.password", "line.key", "source.key"}
    for info in found.infolist():
        assert bool(info.external_attr >> 16 & 0o077) == (info.filename not in secret)


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_shows_a_name_and_runs_nothing(name: str) -> None:
    contact = Report(unit=name, person="负责人", phone="0971-000000")
    page = Page()
    page.feed(bundle.guide(content(name, contact=contact)))
    assert "script" not in page.tags
    assert name.replace("\n", " ").split()[0] in page.text.replace("\n", " ")
    assert "0971-000000" in page.text
    assert "Windows" in page.text
    assert "sudo schoolpulse-agent install schoolpulse-0063020001.zip" in page.text.replace(
        "\n", " "
    )
    assert "a" * 64 not in page.text


def test_the_page_leaves_a_line_where_nobody_is_named() -> None:
    assert "to be filled in" in bundle.guide(content())


@pytest.mark.parametrize("name", ["＝1+1", "3-1", "-1", "x\x1b[31m"])
def test_no_sheet_program_changes_a_room(name: str) -> None:
    *_, last = csv.reader(io.StringIO(bundle.rooms(content(name).rooms).decode("utf-8-sig")))
    assert last[1] == sheet_cells.kept(name) != name


def test_rooms_open_in_excel_as_they_are() -> None:
    made = bundle.rooms(content("=1+1").rooms)
    assert made.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))
    assert rows == [["room", "name"], ["101", "一年级(1)班"], ["102", "'=1+1"]]


@pytest.mark.parametrize(
    ("server", "where"),
    [
        ("http://broker.city:8095", "broker.city:8095"),
        ("http://[fd00::5]:8095", "[fd00::5]:8095"),
        ("http://[fd00::5]", "[fd00::5]:80"),
        ("https://lines.city/", "lines.city:443"),
    ],
)
def test_the_page_names_every_server_that_a_pc_must_reach(server: str, where: str) -> None:
    page = bundle.guide(content(line_server=server))
    assert page.count(f"<code>{where}</code>") == 2  # in Chinese and in English
    assert page.count("<code>broker.city:8883</code>") == 2
    without = bundle.guide(content())
    assert "测速服务器" not in without
    assert "measurement server" not in without

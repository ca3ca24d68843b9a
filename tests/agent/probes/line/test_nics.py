"""Kinds of interfaces on a constructed /sys, and on a constructed Windows registry row."""

from __future__ import annotations

import pytest

from agent.probes.line import metered as nics_metered
from agent.probes.line import nics, nics_windows


@pytest.mark.parametrize(
    ("type_", "parts", "kind"),
    [
        ("1", ("device",), "wired"),
        ("1", ("device", "wireless"), "wifi"),
        ("1", ("device", "phy80211"), "wifi"),
        ("772", (), "loopback"),
        ("1", (), "virtual"),  # bridge, veth, tap, docker
        ("65534", (), "virtual"),  # tun, WireGuard
        ("32", ("device",), "other"),  # InfiniBand
    ],
)
def test_kinds_on_linux(tmp_path, type_, parts, kind):
    folder = tmp_path / "sys/class/net/x0"
    for part in parts:
        (folder / part).mkdir(parents=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "type").write_text(type_ + "\n")
    assert nics.kind("x0", tmp_path) == kind


def test_an_interface_that_went_is_virtual(tmp_path):
    assert nics.kind("gone0", tmp_path) == "virtual"


@pytest.mark.parametrize(
    ("instance", "subtype", "kind"),
    [
        ("PCI\\VEN_10EC&DEV_8168", None, "wired"),
        ("USB\\VID_0BDA&PID_8153", None, "wired"),
        ("PCI\\VEN_8086&DEV_2723", 2, "wifi"),
        ("ROOT\\NET\\0000", None, "virtual"),
        ("SWD\\RRAS\\MS_L2TPMINIPORT", None, "virtual"),
        ("", None, "virtual"),
    ],
)
def test_kinds_on_windows(instance, subtype, kind):
    assert nics_windows.classify(instance, subtype) == kind


def test_an_addresss_owner_and_its_counter():
    assert nics.owner("127.0.0.1") == "lo"
    assert nics.owner("203.0.113.77") == ""
    assert nics.received("lo") >= 0
    assert nics.received("no-such-interface") is None


@pytest.mark.parametrize(
    ("type_", "parts", "code"),
    [
        ("65534", ("tun_flags",), "vpn"),
        ("65534", (), "vpn"),  # WireGuard
        ("512", (), "vpn"),
        ("1", (), "virtual"),
        ("1", ("device", "wireless"), "wifi"),
        ("772", (), "loopback"),
        ("32", ("device",), "not_wired"),  # InfiniBand
    ],
)
def test_why_a_test_over_it_proves_nothing(tmp_path, type_, parts, code):
    folder = tmp_path / "sys/class/net/x0"
    for part in parts:
        (folder / part).mkdir(parents=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "type").write_text(type_ + "\n")
    assert nics.describe("x0", tmp_path) == code


def test_the_interface_towards_a_server_comes_from_the_route():
    assert nics_metered.towards("http://127.0.0.1:8095") == "lo"
    for url in ("", "nonsense", "http://measurement.invalid:1", "http://[::1", "http://x:y"):
        assert nics_metered.towards(url) == ""


def test_mobile_radio_is_metered(tmp_path):
    folder = tmp_path / "sys/class/net/wwan0"
    folder.mkdir(parents=True)
    (folder / "uevent").write_text("DEVTYPE=wwan\nINTERFACE=wwan0\nIFINDEX=3\n")
    assert nics_metered.metered("wwan0", tmp_path)
    assert not nics_metered.metered("gone0", tmp_path)


@pytest.mark.parametrize(
    ("said", "metered"), [("yes", True), ("yes (guessed)", True), ("no", False), ("unknown", False)]
)
def test_network_managers_word(tmp_path, monkeypatch, said, metered):
    """The forms that nmcli prints, by a program of its name."""
    program = tmp_path / "bin/nmcli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$5" = eth0 ] && echo "{said}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    (tmp_path / "sys/class/net/eth0").mkdir(parents=True)
    (tmp_path / "sys/class/net/eth0/uevent").write_text("INTERFACE=eth0\n")
    assert nics_metered.metered("eth0", tmp_path) is metered

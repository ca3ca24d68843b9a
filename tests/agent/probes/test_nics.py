"""Kinds of interfaces on a constructed /sys, and on a constructed Windows registry row."""

from __future__ import annotations

import pytest

from agent.probes import nics, nics_windows


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

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


def link(root, name, *, type_="1", driver="", lower=(), address="00:11:22:33:44:55", wifi=False):
    """An interface below /sys/class/net: with a driver it is hardware."""
    folder = root / "sys/class/net" / name
    folder.mkdir(parents=True)
    (folder / "type").write_text(type_ + "\n")
    (folder / "address").write_text(address + "\n")
    if driver:
        drivers = root / "sys/bus/drivers" / driver
        drivers.mkdir(parents=True, exist_ok=True)
        (folder / "device").mkdir()
        (folder / "device/driver").symlink_to(drivers)
    if wifi:
        (folder / "wireless").mkdir()
    for one in lower:
        (folder / f"lower_{one}").symlink_to(root / "sys/class/net" / one)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("bond0", "wired", "not_wired"),
        ("bond1", "wifi", "wifi"),  # a cable and Wi-Fi: the test may have gone over either
        ("team0", "wired", "not_wired"),
        ("br0", "wired", "not_wired"),  # of virtual machines, over the PC's own cable
        ("docker0", "virtual", "virtual"),
        ("eth0.7", "wired", "not_wired"),
        ("bond0.7", "wired", "not_wired"),  # a VLAN over a bond
        ("wlan0.7", "wifi", "wifi"),
        ("tun0", "virtual", "vpn"),
        ("tap0", "virtual", "vpn"),  # a VPN of Ethernet frames
        ("tap0.7", "virtual", "vpn"),
        ("br1", "virtual", "vpn"),  # a bridge to another town's network, over no cable
        ("br2", "wired", "not_wired"),  # a virtual machine's TAP beside the PC's own cable
        ("usb0", "other", "tether"),
        ("enx2", "other", "tether"),
        ("enx3", "wired", "not_wired"),  # a USB dock
        ("wwan0", "other", "not_wired"),  # mobile broadband that looks like Ethernet
        ("wwan0.7", "other", "not_wired"),
        ("br3", "other", "not_wired"),  # a cable and a modem
    ],
)
def test_what_stands_on_other_links_is_of_their_kind(tmp_path, name, kind, code):
    link(tmp_path, "eth0", driver="r8169")
    link(tmp_path, "eth1", driver="e1000e")
    link(tmp_path, "wlan0", driver="iwlwifi", wifi=True)
    link(tmp_path, "veth1")
    for one in ("bond0", "team0"):
        link(tmp_path, one, lower=["eth0", "eth1"])
    link(tmp_path, "bond1", lower=["eth0", "wlan0"])
    link(tmp_path, "br0", lower=["eth1", "veth1"])
    link(tmp_path, "docker0", lower=["veth1"])
    for one in ("eth0", "bond0", "wlan0"):
        link(tmp_path, f"{one}.7", lower=[one])
    for one, flags in (("tun0", "0x1001"), ("tap0", "0x1002"), ("tap1", "0x5002")):
        link(tmp_path, one, type_="65534" if one == "tun0" else "1")
        (tmp_path / "sys/class/net" / one / "tun_flags").write_text(flags + "\n")
    link(tmp_path, "tap0.7", lower=["tap0"])
    link(tmp_path, "br1", lower=["tap0"])
    link(tmp_path, "br2", lower=["eth0", "tap1"])
    link(tmp_path, "usb0", driver="rndis_host", address="a2:11:22:33:44:55")
    link(tmp_path, "enx2", driver="cdc_ncm", address="a2:11:22:33:44:55")
    link(tmp_path, "enx3", driver="cdc_ncm", address="00:e0:4c:68:00:01")
    link(tmp_path, "wwan0", driver="cdc_mbim", address="02:11:22:33:44:55")
    (tmp_path / "sys/class/net/wwan0/uevent").write_text("DEVTYPE=wwan\nINTERFACE=wwan0\n")
    link(tmp_path, "wwan0.7", lower=["wwan0"])
    link(tmp_path, "br3", lower=["eth0", "wwan0"])
    assert nics.kind(name, tmp_path) == kind
    assert nics.describe(name, tmp_path) == code


_PPPOE = """Id       Address              Device
00000001 00:11:22:33:44:66    eth0
"""


@pytest.mark.parametrize(
    ("sessions", "ppps", "kind", "counted"),
    [
        (_PPPOE, ["ppp0"], "wired", "eth0"),
        (_PPPOE, ["ppp0", "ppp1"], "virtual", "ppp0"),  # one may be a VPN's
        ("", ["ppp0"], "virtual", "ppp0"),
        (_PPPOE.replace("eth0", "wlan0"), ["ppp0"], "wifi", "wlan0"),
    ],
)
def test_pppoe_is_told_from_a_vpn(tmp_path, sessions, ppps, kind, counted):
    link(tmp_path, "eth0", driver="r8169")
    link(tmp_path, "wlan0", driver="iwlwifi", wifi=True)
    for one in ppps:
        link(tmp_path, one, type_="512")
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/pppoe").write_text(sessions)
    assert nics.kind("ppp0", tmp_path) == kind
    assert nics.describe("ppp0", tmp_path) == (
        "vpn" if kind == "virtual" else "wifi" if kind == "wifi" else "not_wired"
    )
    assert nics.counted_on("ppp0", tmp_path) == counted


def test_an_interface_that_went_is_virtual(tmp_path):
    assert nics.kind("gone0", tmp_path) == "virtual"


def test_a_phone_on_windows_is_no_cable():
    instance = "USB\\VID_04E8&PID_6863&MI_00\\7&1&0&0000"
    assert nics_windows.classify(instance, None, "usbrndis6") == "other"
    assert nics_windows.classify(instance, None, "WmbClass") == "other"
    assert nics_windows.classify(instance, None, "rtux64w10") == "wired"


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

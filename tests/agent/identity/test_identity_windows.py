"""The machine id on Windows: firmware tables and the addresses of built-in cards."""

from __future__ import annotations

import struct
import uuid

from agent.identity import identify
from agent.identity import windows as identity_windows
from agent.probes.line import nics_windows
from agent.windows.smbios import parse as parse_smbios
from windows_trees import WindowsTree

UUID = "4c4c4544-0042-3510-8053-b7c04f4e3332"


def _smbios(kind: int, fields: bytes, strings: list[str]) -> bytes:
    text = b"\0".join(string.encode() for string in strings) + b"\0\0"
    return struct.pack("<BBH", kind, 4 + len(fields), kind) + fields + text


def _table() -> bytes:
    system = bytes([1, 2, 3, 4]) + uuid.UUID(UUID).bytes_le + bytes([6, 0, 0])
    return (
        _smbios(0, bytes([1, 2, 0, 0, 3]), ["Maker", "1.0", "07/03/2019"])
        + _smbios(1, system, ["Dell Inc.", "OptiPlex", "1", "5B5S3C2"])
        + _smbios(2, bytes([1, 2, 0, 3]), ["Dell Inc.", "0X", " CN12345678 "])
        + _smbios(3, bytes([1, 0x80 | 10, 0, 0, 0]), ["Maker"])
        + _smbios(127, b"", [])
    )


def test_smbios_tables_of_windows():
    found = parse_smbios(_table())
    assert found.product_uuid == UUID
    assert (found.product_serial, found.board_serial) == ("5B5S3C2", "CN12345678")
    assert (found.maker, found.model, found.chassis) == ("Dell Inc.", "OptiPlex", 10)
    assert found.firmware_date == "07/03/2019"


def test_macs_of_windows_are_those_burnt_into_built_in_cards():
    pc = WindowsTree()
    pc.adapter(1, "以太网", "PCI\\VEN_10EC&DEV_8168\\1", 0, "00:e0:4c:68:00:01")
    pc.adapter(2, "以太网 2", "PCI\\VEN_8086&DEV_15BC\\1", 0, "00:e0:4c:68:00:00")
    pc.adapter(3, "以太网 3", "USB\\VID_0BDA&PID_8153\\1", 0, "00:e0:4c:68:00:03")
    pc.adapter(4, "以太网 4", "PCI\\VEN_10EC&DEV_8168\\2", 0, "")  # taken out
    pc.adapter(5, "vEthernet", "ROOT\\VMS_MP\\0000", 0, "00:15:5d:00:00:01")
    pc.adapter(6, "以太网 6", "PCI\\VEN_1AF4&DEV_1000\\1", 0, "52:54:00:12:34:56")
    pc.adapter(7, "WLAN", "PCI\\VEN_8086&DEV_2723\\1", 2, "3c:6a:a7:00:00:07")
    assert identity_windows.hardware(pc) == {
        "macs": "00:e0:4c:68:00:00 00:e0:4c:68:00:01", "wifi": "3c:6a:a7:00:00:07",
    }  # fmt: skip
    assert [adapter.kind for adapter in nics_windows.adapters(pc)] == [
        "wired", "wired", "wired", "wired", "virtual", "wired", "wifi",
    ]  # fmt: skip
    assert identify(windows=pc).sources == ("macs",)


def test_smbios_cut_anywhere_never_raises():
    table = _table()
    whole = parse_smbios(table)
    for end in range(len(table)):
        found = parse_smbios(table[:end])
        assert all(said in (shown, "", None) for said, shown in zip(found, whole, strict=True))

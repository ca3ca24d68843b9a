"""EDID: real ones where they are at hand, built ones always, and noise."""

from __future__ import annotations

import datetime as dt
import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.probes import device_text
from agent.probes.edid import Edid, parse, reading
from agent.version import RELEASED
from edids import build, displayid

REAL = Path(__file__).parents[4] / "shared/edid/edids.jsonl"
FILLERS = {(160, 90), (122, 68), (115, 65), (120, 90), (1, 1)}
NO_NUMBER = {0, 0x01010101, 16780800, 21573}
NO_TEXT = {"H1AK500000", "0800001FC"}


def real() -> list[Any]:
    if not REAL.exists():
        reason = f"real EDIDs are not at hand ({REAL})"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    rows = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(row, id=row["id"]) for row in rows]


@pytest.mark.parametrize("row", real())
def test_real_displays(row):
    found = parse(bytes.fromhex(row["edid_hex"]))
    expected, hand = row["expected"], row["hand"]
    assert found.maker == expected["manufacturer"]
    assert f"0x{found.product:04x}" == expected["product_code"]
    names = [name.strip() for name in expected.get("monitor_name_all", []) if name.strip()]
    name = hand.get("name_gbk") or (names[0] if names else (expected["monitor_name"] or ""))
    assert found.name == name.strip()
    size = (expected["width_cm"], expected["height_cm"])
    assert (found.width_cm, found.height_cm) == ((None, None) if size in FILLERS else size)
    year = expected["year"]
    assert found.year == (None if year and year > RELEASED + 1 else year)
    assert found.serial in (expected["serial_ascii"], str(expected["serial_number"]), "")
    if expected["serial_ascii"] and expected["serial_ascii"] not in NO_TEXT:
        assert found.serial == expected["serial_ascii"]
    elif expected["serial_number"] in NO_NUMBER or not expected["serial_number"]:
        assert not found.serial
    wrong = [block for block in expected["blocks"] if not block["checksum_ok"]]
    assert bool(wrong) == any("checksum" in note for note in found.notes)
    if row["category"] == "projector":
        assert found.kind in ("projector", "display")
    if row["category"] == "monitor":
        assert found.kind == "monitor"
    if row["category"] == "large_display":
        assert found.kind in ("display", "tv", "panel")


def test_a_built_projector():
    found = parse(build(texts=[(0xFC, b"EPSON PJ"), (0xFF, b"X4QF123456")], maker="SEC"))
    assert found == Edid("SEC", 0x1C02, "EPSON PJ", "", "X4QF123456", None, None, (), 2020, week=1)
    assert found.kind == "projector"
    assert found.model == "SEC1C02"


@pytest.mark.parametrize(
    ("name", "maker", "size", "kind"),
    [
        (b"CASIO-PJ", "CAS", (0, 0), "projector"),
        (b"Projector", "HTC", (120, 90), "projector"),
        ("投影机".encode("gbk"), "ABC", (0, 0), "projector"),
        (b"LG TV", "GSM", (160, 90), "tv"),
        (b"TVT-3200", "ABC", (0, 0), "display"),
        (b"CVTE TV", "CVT", (100, 61), "display"),
        (b"SBID-MX075", "SBI", (166, 93), "panel"),
        (b"DELL P2419H", "DEL", (53, 30), "monitor"),
        (b"6Series75", "HEC", (166, 93), "display"),
        (b"MW516", "BNQ", (0, 0), "display"),
    ],
)
def test_the_kind_only_where_the_display_tells(name, maker, size, kind):
    assert parse(build(texts=[(0xFC, name)], maker=maker, size=size)).kind == kind


@pytest.mark.parametrize("size", [*FILLERS, (0, 0), (79, 0), (0, 79), (16, 9)])
def test_filler_sizes_are_no_sizes(size):
    assert parse(build(size=size)).width_cm is None


@pytest.mark.parametrize("number", [*sorted(NO_NUMBER), 1, 1536, 9999, 0xFFFFFFFF, 0x20202020])
def test_numbers_that_many_share_are_no_serials(number):
    assert parse(build(number=number)).serial == ""


def test_serials():
    assert parse(build(number=1492746292)).serial == "1492746292"
    assert parse(build(number=1492746292, texts=[(0xFF, b"6ZLGJ73")])).serial == "6ZLGJ73"
    for text in (b"", b"000000000", b"H1AK500000", b"0800001FC", b"AAAA"):
        assert parse(build(texts=[(0xFF, text)])).serial == ""


def test_names_in_gbk_and_cut_in_the_middle_of_a_character():
    assert parse(build(texts=[(0xFC, "XIANGYE翔野".encode("gbk"))])).name == "XIANGYE翔野"
    whole = "希沃交互智能平板".encode("gbk")
    cut = parse(build(texts=[(0xFC, whole[:13])]))
    assert cut.name == "希沃交互智能"
    assert not cut.notes
    odd = parse(build(texts=[(0xFC, b"\xff\xff\xff\xff")]))
    assert odd.name == ""
    assert any(note == "edid_text=fc" for note in odd.notes)


@pytest.mark.parametrize(
    ("raw", "name", "whole"),
    [
        (b"RV772\x81B133XW1", "RV772B133XW1", False),
        (b"\xa0LCD TV", "LCD TV", False),
        (b"AB\xb0\xa1CD", "ABCD", False),  # one pair among ASCII may be dirt
        (b"\x81\x40\x81\x41", "@A", False),  # characters of GBK, none of GB 2312
        (b"\xff\xff\xff\xff", "", False),
        ("创想集团".encode("gbk"), "创想集团", True),
        ("海信TV".encode("gbk"), "海信TV", True),
        ("海信".encode(), "海信", True),  # UTF-8
        (b"2R29\xe2\xb4\x93wN.", "2R29wN.", False),  # UTF-8 by chance, of no script in use here
        ("希沃交互智能平板".encode("gbk")[:13], "希沃交互智能", True),  # half of the seventh
    ],
)
def test_bytes_above_ascii_are_chinese_as_pairs_of_gb2312_or_dirt(raw, name, whole):
    found = parse(build(texts=[(0xFC, raw)]))
    assert found.name == name
    assert ("edid_text=fc" in found.notes) is not whole


@given(st.binary(max_size=13))
def test_no_character_is_invented(raw):
    """What is read is in the bytes: as ASCII, as UTF-8, or as GB 2312."""
    text, whole = device_text.decoded(raw)
    ascii_part = "".join(chr(byte) for byte in raw if 0x20 <= byte < 0x7F).strip()
    if not whole:
        assert text == ascii_part
    else:
        assert any(set(text) <= set(raw.decode(code, "ignore")) for code in ("utf-8", "gb2312"))


def test_a_year_of_make_that_is_to_come_is_none():
    this = max(RELEASED, dt.date.today().year)
    for year, expected in ((2020, 2020), (this + 1, this + 1), (this + 2, None), (2245, None)):
        assert parse(build(year=year)).year == expected
    assert parse(build(year=1990)).year is None


def test_empty_descriptors_before_the_name():
    assert parse(build(texts=[(0xFC, b""), (0xFC, b""), (0xFC, b"M176A")])).name == "M176A"


def test_what_panels_say_instead_of_a_name():
    found = parse(build(texts=[(0xFE, b"BOE CQ"), (0xFE, b"NE160QDM-NY2")], maker="BOE"))
    assert (found.name, found.text) == ("", "BOE CQ NE160QDM-NY2")


def test_faults_are_notes():
    good = build(texts=[(0xFC, b"DELL")])
    bad = bytearray(good)
    bad[127] ^= 0x55
    found = parse(bytes(bad))
    assert found.name == "DELL"
    assert found.notes == ("edid_checksum",)
    assert parse(good[:100]).notes == ("edid_truncated=100/128",)
    assert parse(b"").notes == ("no_edid",)
    assert parse(b"\x00" * 128).notes == ("no_edid_header",)


def test_extensions_promised_and_not_there_or_damaged():
    assert parse(build(extensions=1)).notes == ("edid_extensions=1/0",)
    cta = bytearray(128)
    cta[0:3] = b"\x02\x03\x04"
    cta[127] = -sum(cta) % 256
    assert parse(build(extensions=1) + bytes(cta)).notes == ()
    cta[127] ^= 1
    assert parse(build(extensions=1) + bytes(cta)).notes == ("edid_extension_checksum=1",)
    assert parse(build() + bytes(cta)).notes == ()  # beyond what was declared


def test_a_maker_that_is_no_pnp_id():
    block = bytearray(build())
    block[8:10] = b"\x00\x00"
    block[127] = 0
    block[127] = -sum(block) % 256
    found = parse(bytes(block))
    assert found.maker == ""
    assert found.model == "???1C02"
    assert found.notes == ("edid_maker=0000",)


def _product(name: str) -> bytes:
    return b"BNQ" + struct.pack("<HI", 1, 0) + bytes([1, 20, len(name.encode())]) + name.encode()


@pytest.mark.parametrize(("version", "tags"), [(0x12, (0x00, 0x01)), (0x20, (0x20, 0x21))])
def test_displayid_fills_in_what_the_base_block_leaves_out(version, tags):
    size = struct.pack("<HH", 16_510, 9_290) + bytes(8)
    blocks = [(tags[0], 0, _product("希沃交互智能平板 86")), (tags[1], 0, size)]
    found = parse(build(extensions=1) + displayid(blocks, version))
    assert found.name == "希沃交互智能平板 86"
    assert (found.width_cm, found.height_cm) == (165, 93)
    assert found.notes == ()
    said = parse(build(extensions=1, size=(60, 34), texts=[(0xFC, b"27B1H")]) + displayid(blocks))
    assert (said.name, said.width_cm) == ("27B1H", 60)


def test_displayid_2_counts_whole_millimetres_where_it_says_so():
    block = displayid([(0x21, 0x80, struct.pack("<HH", 1_651, 929))], 0x20)
    assert parse(build(extensions=1) + block).width_cm == 165


def test_displayid_that_is_damaged_cut_or_too_long_is_a_note():
    good = displayid([(0x00, 0, _product("Panel"))])
    bad = bytearray(good)
    bad[20] ^= 1
    bad[127] = (bad[127] ^ 0) - (bad[20] - good[20]) & 0xFF
    assert parse(build(extensions=1) + bytes(bad)).notes == ("displayid_checksum",)
    long = displayid([], length=125)
    assert "displayid_too_long" in parse(build(extensions=1) + long).notes
    cut = displayid([(0x00, 0, b"BNQ")])  # ends before its string
    assert parse(build(extensions=1) + cut).name == ""
    assert parse(build() + good).name == ""  # beyond what was declared


ROUNDS = 100_000


def test_noise_never_crashes():
    draw = random.Random(4)
    seeds = [build(texts=[(0xFC, b"EPSON PJ"), (0xFF, b"X4QF")], extensions=2, size=(53, 30))]
    seeds.append(build(extensions=1) + displayid([(0, 0, _product("希沃")), (1, 0, bytes(12))]))
    if REAL.exists():
        seeds += [bytes.fromhex(json.loads(line)["edid_hex"]) for line in REAL.open()]
    for _ in range(ROUNDS):
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randrange(1, 12)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        found = parse.__wrapped__(
            bytes(data[: draw.randrange(len(data) + 1)] if draw.random() < 0.2 else data)
        )
        assert isinstance(found.kind, str)
        assert found.model is not None
        assert all(len(note) < 80 for note in found.notes)
        assert (found.name + found.serial + found.text).isprintable()


def test_the_number_stands_beside_a_serial_in_letters():
    """Fillers too: the text may be a batch, and the number the unit's."""
    data = bytearray(build(texts=[(0xFF, b"LBT0W0014200")], maker="ACR"))
    data[12:16], data[16] = (0x01010101).to_bytes(4, "little"), 0xD1
    found = reading(parse(bytes(data)), connector="c", connection="VGA", internal=False)
    assert (found.serial, found.serial_number, found.week) == ("LBT0W0014200", "16843009", None)
    data[12:16], data[16] = bytes(4), 54
    found = reading(parse(bytes(data)), connector="c", connection="VGA", internal=False)
    assert (found.serial_number, found.week) == ("", 54)

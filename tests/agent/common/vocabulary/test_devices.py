"""Every code that the agent can say of a device has Chinese words."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common import language
from agent.common.vocabulary import devices as words
from agent.probes import edid
from agent.probes.network import ask, pjlink, snmp
from agent.wire.messages import DeviceKind, Power

FAULTS = [
    *pjlink._PARTS, "failure", *snmp._FAULTS.values(), *snmp._WARNINGS.values(),
    *words.CANNOT_BE_ASKED,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _chinese() -> None:
    language.choose("zh")


@pytest.mark.parametrize("code", FAULTS)
def test_faults_and_warnings(code):
    assert words.fault(code) != code
    assert words.note(f"{code}: warning") == f"{words.fault(code)}：警告"
    assert words.fault(f"{code}, lamp") == f"{words.fault(code)}、灯泡"


def test_kinds_powers_and_passing_states():
    assert all(words.kind(code) != code for code in get_args(DeviceKind))
    assert all(words.power(code) != code for code in get_args(Power))
    assert all(words.note(code) != code for code in ask._PASSING.values())
    assert (words.connection("internal"), words.connection("HDMI")) == ("内置", "HDMI")


@given(st.binary(max_size=300).map(lambda rest: edid._HEADER + rest) | st.binary(max_size=140))
def test_whatever_an_edid_lacks(data):
    for code in edid.parse(data).notes:
        assert words.note(code) != code


def test_what_only_the_asking_is_at_fault_for_has_a_mend():
    assert all(words.mend(code) for code in words.CANNOT_BE_ASKED)
    assert words.mend("lamp") == ""
    assert "agent.toml" in words.mend("lamp, password refused")


def test_a_word_that_nobody_knows_and_english_stay_as_they_are():
    assert words.fault("backlight, lamp") == "backlight、灯泡"
    assert words.note("something new: 5") == "something new: 5"
    language.choose("en")
    assert words.fault("fan, lamp") == "fan, lamp"
    assert words.note("EDID truncated: 70 of 128 bytes") == "EDID truncated: 70 of 128 bytes"
    assert words.kind("document_camera") == "document camera"

"""Every code that the agent can say of a device has words in both languages."""

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


@pytest.fixture(autouse=True)
def _chinese() -> None:
    language.choose("zh")


def test_the_tables_hold_what_the_probes_say_and_no_more():
    """In the order of the probes: the texts of several faults follow from it."""
    assert tuple(words.PROJECTOR_FAULTS) == (*pjlink._PARTS, "failure")
    assert tuple(words.PRINTER_FAULTS) == tuple(snmp._FAULTS.values())
    assert tuple(words.PRINTER_WARNINGS) == tuple(snmp._WARNINGS.values())
    assert set(words.KINDS) == {*get_args(DeviceKind), "computer", "panel_without_pc"}
    assert set(words.POWERS) == set(get_args(Power))
    assert set(ask._TRANSITIONS.values()) < set(words.NOTES)


@pytest.mark.parametrize("code", words.FAULTS)
def test_faults_and_warnings(code):
    assert words.fault(code) == words.FAULTS[code].zh
    assert words.note(f"warning={code}") == f"{words.fault(code)}：警告"
    assert words.fault(f"{code}, lamp") == f"{words.fault(code)}、灯泡"


@pytest.mark.parametrize(("old", "code"), words.OLD.items())
def test_a_sentence_of_an_older_agent_has_the_word_of_its_code(old, code):
    assert words.codes(f"lamp, {old}") == f"lamp, {code}"
    assert words.fault(old) == words.fault(code) != old
    assert words.fix(old) == words.fix(code)


def test_every_text_of_several_faults_has_words():
    stored = dict(words.stored_faults())
    assert len(stored) == 2**7 - 1 + 2**6 - 1 + len(words.CANNOT_BE_ASKED)
    assert stored["fan, lamp"] == ("风扇、灯泡", "fan, lamp")
    assert all(words.fault_words(text) == said for text, said in stored.items())


@given(st.binary(max_size=300).map(lambda rest: edid._HEADER + rest) | st.binary(max_size=140))
def test_whatever_an_edid_lacks(data):
    for note in edid.parse(data).notes:
        code = note.partition("=")[0]
        assert code in words.NOTES
        assert words.note(note) != note
        assert "{" not in words.note(note)


def test_what_only_the_asking_is_at_fault_for_has_a_fix():
    assert set(words.FIXES) == set(words.CANNOT_BE_ASKED)
    assert words.fix("lamp") == ""
    assert "agent.toml" in words.fix("lamp, password_refused")


def test_what_answered_is_shown_whatever_it_said():
    for answer in ("SSH-2.0/x", "{0}", "a=b", ""):
        assert words.note(f"answered={answer}") == f"应答：{answer}"


def test_a_code_that_nobody_knows_stays_as_it_is():
    assert words.fault("backlight, lamp") == "backlight、灯泡"
    assert words.note("something new: 5") == "something new: 5"
    assert words.note("edid_truncated=70") == "edid_truncated=70"  # half a note
    assert words.kind("hologram") == "hologram"


def test_english():
    language.choose("en")
    assert words.fault("fan, no_paper") == "fan, no paper"
    assert words.note("edid_truncated=70/128; cooling_down") == (
        "EDID truncated: 70 of 128 bytes; cooling down"
    )
    assert words.kind("document_camera") == "document camera"
    assert (words.connection("internal"), words.connection("HDMI")) == ("internal", "HDMI")

"""PJLink over real TCP: what a projector says, and what it does not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

import pjlink_fuzz
from agent.probes.network import pjlink, pjlink_connection
from agent.probes.network.pjlink import Facts, ask
from agent.probes.network.pjlink_connection import (
    GarbledError,
    NoPasswordError,
    PasswordError,
    SilentError,
)
from pjlink_emulator import Emulator, Projector

Start = Callable[[Projector], Emulator]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Emulator] = []

    def begin(projector: Projector) -> Emulator:
        running.append(Emulator(projector))
        return running[-1]

    yield begin
    for emulator in running:
        emulator.close()


def test_class_2_with_a_password(start):
    emulator = start(Projector(power="1", password="JBMIAProjectorLink"))
    facts = ask("127.0.0.1", emulator.port, "JBMIAProjectorLink")
    assert facts == Facts(
        power="1", errors="000000", lamps="1287 1", input="31", mute="30", filter="412",
        maker="EPSON", model="EB-X06", name="三年级二班", serial="X4QF0812345",
    )  # fmt: skip
    assert (facts.lamp_hours, facts.filter_hours, facts.source) == (1287, 412, "digital 1")
    assert facts.muted is False
    assert facts.faults == ()


def test_class_1_is_not_asked_what_only_class_2_knows(start):
    emulator = start(Projector(level="1", power="1"))
    facts = ask("127.0.0.1", emulator.port)
    assert (facts.serial, facts.filter_hours, facts.model) == ("", None, "EB-X06")
    assert "SNUM" not in emulator.projector.asked


@pytest.mark.parametrize("power", ["01", "10", "00", "31"])
def test_of_a_power_of_two_digits_nothing_is_known(start, power):
    assert ask("127.0.0.1", start(Projector(power=power)).port).power == ""


def test_standby_answers_err3_and_that_is_no_fault(start):
    facts = ask("127.0.0.1", start(Projector(power="0", errors="020000")).port)
    assert (facts.power, facts.errors, facts.lamps) == ("0", "", "")
    assert facts.faults == ()
    assert facts.maker == "EPSON"


@pytest.mark.parametrize(("given", "said"), [("", NoPasswordError), ("wrong", PasswordError)])
def test_a_password_that_is_missing_or_wrong(start, given, said):
    emulator = start(Projector(password="right", power="1"))
    with pytest.raises(PasswordError) as raised:
        ask("127.0.0.1", emulator.port, given)
    assert raised.type is said


def test_a_password_given_where_none_is_asked(start):
    assert ask("127.0.0.1", start(Projector(power="1")).port, "unneeded").power == "1"


def test_what_is_told_unasked_is_no_answer(start):
    assert ask("127.0.0.1", start(Projector(power="1", chatty=True)).port).power == "1"


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH\r\n", b"x" * 5000, b"PJLINK 7\r", b"PJLINK"])
def test_what_is_no_pjlink_is_said_to_be_none(start, garbage):
    with pytest.raises(GarbledError):
        ask("127.0.0.1", start(Projector(garbage=garbage)).port, timeout=60)


@pytest.mark.parametrize("garbage", [b"", b"\r"])
def test_one_that_accepts_and_hangs_up_is_there_and_silent(start, garbage):
    with pytest.raises(SilentError):
        ask("127.0.0.1", start(Projector(garbage=garbage)).port, timeout=60)


def test_one_that_does_not_even_accept_is_not_there(start):
    emulator = start(Projector())
    emulator.unplug()
    with pytest.raises(TimeoutError):
        ask("127.0.0.1", emulator.port, timeout=0.3)


def test_a_slow_projector_is_there_all_the_same(start, monkeypatch):
    """Old ones take half a second an answer; ten answers of them take longer than a dead host."""
    passed = itertools.count(1)  # a second an answer, on a clock of ours
    now = [0.0]
    slow = Projector(power="1", think=lambda: now.__setitem__(0, float(next(passed))))
    for module in (pjlink, pjlink_connection):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    facts = ask("127.0.0.1", start(slow).port, timeout=3.0)
    assert (facts.power, facts.errors, facts.lamp_hours) == ("1", "000000", 1287)
    assert facts.name == "三年级二班"
    assert facts.serial == ""  # not answered in time, so left out


def test_one_that_greets_and_does_not_tell_its_power_is_there_and_silent(start):
    with pytest.raises(SilentError):
        ask("127.0.0.1", start(Projector(power="1", silent=True)).port, timeout=0.3)


def test_answers_before_it_hangs_up_are_kept(start):
    facts = ask("127.0.0.1", start(Projector(power="1", answers_left=3)).port)
    assert (facts.power, facts.lamp_hours, facts.model) == ("1", 1287, "")


def test_gbk_names_and_several_lamps(start):
    projector = Projector(power="1", errors="021012")
    projector.answers["LAMP"] = "812 1 2044 0"
    facts = ask("127.0.0.1", start(projector).port)
    assert facts.lamp_hours == 2044
    assert facts.faults == ("lamp", "other")
    assert facts.warnings == ("temperature", "filter")


def test_err4_is_a_failure():
    assert Facts(power="ERR4").faults == ("failure",)


def test_answers_in_lower_case_and_a_failure_to_answer(start):
    projector = Projector(power="1")
    projector.answers["INPT"] = "err2"
    facts = ask("127.0.0.1", start(projector).port)
    assert facts.input == ""
    assert facts.source == ""


_ODD = {  # what is sent in place of a right answer -> what is lost with it
    "no equals sign": (lambda body, line: line.replace(b"=", b" "), ()),
    "empty": (lambda body, line: b"%1" + body.encode() + b"=\r", ("name", "maker", "errors")),
    "a line feed ends it": (lambda body, line: line.replace(b"\r", b"\n"), ()),
    "both end it": (lambda body, line: line.replace(b"\r", b"\r\n"), ()),
    "blank lines before it": (lambda body, line: b"\r\r\n" + line, ()),
    "the query before it": (lambda body, line: b"%1" + body.encode() + b" ?\r" + line, ()),
    "lower case": (lambda body, line: line.lower(), ()),
    "dirt before it": (lambda body, line: b"\xff\xfd\x01" + line, ()),
    "another's answer before it": (lambda body, line: b"%1XXXX=1\r" + line, ()),
    "a text of no protocol before it": (lambda body, line: b"hello\r" + line, ()),
}


@pytest.mark.parametrize("oddity", _ODD)
@pytest.mark.parametrize("only", ["NAME", "INF1", "ERST", "CLSS", "LAMP"])
def test_an_odd_answer_costs_that_fact_alone(start, oddity, only):
    change, lost = _ODD[oddity]
    projector = Projector(power="1", errors="020000")
    whole = ask("127.0.0.1", start(projector).port)
    projector.spoil = lambda body, line: change(body, line) if body == only else line
    facts = ask("127.0.0.1", start(projector).port)
    differ = {n for n in Facts._fields if getattr(whole, n).lower() != getattr(facts, n).lower()}
    class_2 = {"serial", "filter"} if only == "CLSS" else set()
    assert differ <= ({_FIELDS.get(only, "")} if lost else set()) | (class_2 if lost else set())
    assert facts.power == "1"


_FIELDS = {"NAME": "name", "INF1": "maker", "ERST": "errors", "LAMP": "lamps"}


@pytest.mark.parametrize("only", ["NAME", "INF1", "INF2", "CLSS", "ERST", "LAMP", "INPT"])
def test_silence_to_one_question_costs_that_fact_alone(start, only):
    projector = Projector(power="1", spoil=lambda body, line: b"" if body == only else line)
    facts = ask("127.0.0.1", start(projector).port, timeout=1.0)
    lost = {"serial", "filter"} if only == "CLSS" else {_ASKED[only]}
    assert {n for n in Facts._fields if not getattr(facts, n)} == lost


_ASKED = {**_FIELDS, "INF2": "model", "INPT": "input"}


@pytest.mark.parametrize("answer", [b"%1POWR 1\r", b"%1powr=1\n", b"%1POWR=1"])
def test_the_power_in_other_words(start, answer):
    projector = Projector(hangs_up=True, spoil=lambda body, line: answer)
    assert ask("127.0.0.1", start(projector).port, timeout=60.0).power == "1"


@pytest.mark.parametrize("answer", [b"%1POWR=\r", b"%1POWR=OK\r", b"%1POWR=9\r"])
def test_a_power_that_means_nothing_is_unknown(start, answer):
    power = Projector(spoil=lambda body, line: answer if body == "POWR" else line)
    facts = ask("127.0.0.1", start(power).port)
    assert (facts.power, facts.maker) == ("", "EPSON")


@pytest.mark.parametrize("password", ["", "JBMIAProjectorLink"])
def test_one_that_hangs_up_after_each_answer_is_asked_on(start, password):
    projector = Projector(power="1", password=password, hangs_up=True)
    facts = ask("127.0.0.1", start(projector).port, password)
    assert all(facts)


def test_one_that_wants_the_digest_with_each_command_gets_it(start):
    projector = Projector(power="1", password="secret", digest_each=True)
    assert all(ask("127.0.0.1", start(projector).port, "secret"))


def test_a_passing_refusal_is_asked_again_and_a_lasting_one_is_told(start):
    assert ask("127.0.0.1", start(Projector(power="1", refusals=1)).port).power == "1"
    with pytest.raises(PasswordError):
        ask("127.0.0.1", start(Projector(power="1", refusals=2)).port)


@pytest.mark.parametrize(
    "greeting", [b"pjlink 0\r", b"PJLINK=0\r\n", b"PJLINK 0 \n", b"\rPJLINK 0\r"]
)
def test_greetings_in_other_words(start, greeting):
    assert ask("127.0.0.1", start(Projector(power="1", greeting=greeting)).port).power == "1"


def test_whatever_a_projector_sends_its_power_is_right_or_unknown():
    """Three hundred of them; ten thousand by `make fuzz-pjlink`."""
    found = pjlink_fuzz.converse(seed=7, conversations=300, timeout=0.1)
    assert found["right"] > 100
    assert not found["wrong"] + found["absent"], found

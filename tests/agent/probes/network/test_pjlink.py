"""PJLink over real TCP: what a projector says, and what it does not."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from agent.probes.network import pjlink
from agent.probes.network.pjlink import Facts, GarbledError, NoPasswordError, PasswordError, ask
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


@pytest.mark.parametrize(
    "garbage",
    [b"SSH-2.0-OpenSSH\r\n", b"x" * 5000, b"PJLINK 7\r", b"\r", b"PJLINK 0\r%1POWR#1\r"],
)
def test_what_is_no_pjlink_is_said_to_be_none(start, garbage):
    with pytest.raises((GarbledError, ConnectionResetError)):
        ask("127.0.0.1", start(Projector(garbage=garbage)).port, timeout=60)


def test_one_that_hangs_up_and_one_that_drips_end_in_time(start):
    with pytest.raises(OSError, match="hung up"):
        ask("127.0.0.1", start(Projector(garbage=b"PJLINK")).port, timeout=60)
    emulator = start(Projector())
    emulator.unplug()
    with pytest.raises(TimeoutError):
        ask("127.0.0.1", emulator.port, timeout=0.3)


def test_a_slow_projector_is_there_all_the_same(start, monkeypatch):
    """Old ones take half a second an answer; ten answers of them take longer than a dead host."""
    passed = itertools.count(1)  # a second an answer, on a clock of ours
    now = [0.0]
    slow = Projector(power="1", think=lambda: now.__setitem__(0, float(next(passed))))
    monkeypatch.setattr(pjlink, "time", SimpleNamespace(monotonic=lambda: now[0]))
    facts = ask("127.0.0.1", start(slow).port, timeout=3.0)
    assert (facts.power, facts.errors, facts.lamp_hours) == ("1", "000000", 1287)
    assert facts.name == "三年级二班"
    assert facts.serial == ""  # not answered in time, so left out


def test_a_projector_too_slow_to_tell_its_power_is_not_there(start):
    slow = Projector(power="1", think=lambda: time.sleep(0.5))
    with pytest.raises(TimeoutError):
        ask("127.0.0.1", start(slow).port, timeout=0.3)


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
    assert pjlink.decoded("爱普生".encode("gbk")) == "爱普生"
    assert pjlink.decoded(b"\xff\xfe\xff") == "\ufffd\ufffd\ufffd"


def test_err4_is_a_failure():
    assert Facts(power="ERR4").faults == ("failure",)


def test_answers_in_lower_case_and_a_failure_to_answer(start):
    projector = Projector(power="1")
    projector.answers["INPT"] = "err2"
    facts = ask("127.0.0.1", start(projector).port)
    assert facts.input == ""
    assert facts.source == ""

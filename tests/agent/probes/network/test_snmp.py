"""A printer over SNMP: a real snmpd that says what a printer says."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import services
from agent.config import Watched
from agent.probes.network import ask, snmp
from pjlink_emulator import silent_host

Start = Callable[..., Watched]


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Start]:
    """Starts a printer whose status and first byte of errors are given."""
    running: list[subprocess.Popen[bytes]] = []

    def start(
        errors: str = "00",
        status: int = 3,
        *,
        printing: bool = True,
        encoding: str = "utf-8",
        access: str = "rocommunity s3cret",
    ) -> Watched:
        port = services.free_port()
        settings = tmp_path / "snmpd.conf"
        settings.write_text(
            f"agentAddress udp:127.0.0.1:{port}\n{access}\n"
            "sysDescr HP LaserJet 1020\nsysName 文印室\n"
            + printing
            * (
                f"override 1.3.6.1.2.1.25.3.5.1.1.1 integer {status}\n"
                f"override 1.3.6.1.2.1.25.3.5.1.2.1 octet_str 0x{errors}\n"
                'override 1.3.6.1.2.1.43.5.1.1.17.1 octet_str "JL1A2B3"\n'
            ),
            encoding=encoding,
        )
        call = [services.require("snmpd"), "-f", "-Lo", "-C", "-c", str(settings), "-I", "-smux"]
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(call, stdout=log, stderr=log))
        return Watched(
            host="127.0.0.1", port=port, kind="printer", speaks="snmp", password="s3cret"
        )

    yield start
    for process in running:
        process.terminate()
        process.wait(60)


def asked(one: Watched) -> snmp.Facts:
    """Its facts, once it listens."""
    assert one.port is not None
    for _ in range(50):
        try:
            return snmp.ask(one.host, one.port, one.password, 0.3)
        except TimeoutError:
            continue
    pytest.fail("snmpd does not answer")


def test_a_printer_that_is_idle(printer):
    one = printer("00", 3)
    facts = asked(one)
    assert (facts.description, facts.serial, facts.on) == ("HP LaserJet 1020", "JL1A2B3", True)
    assert facts.name == "文印室"
    device = ask.ask(one)
    assert (device.kind, device.present, device.power, device.fault) == ("printer", True, "on", "")
    assert (device.model, device.serial) == ("HP LaserJet 1020", "JL1A2B3")


#: Version 1 alone, as net-snmp's own tables of access say it.
_ONLY_V1 = """com2sec reader default s3cret
group readers v1 reader
view all included .1
access readers "" v1 noauth exact all none none"""


@pytest.mark.parametrize("printing", [True, False])
def test_one_that_speaks_only_version_1_is_asked_by_it(printer, printing):
    facts = asked(printer("24", 4, printing=printing, access=_ONLY_V1))
    assert (facts.description, facts.name) == ("HP LaserJet 1020", "文印室")
    assert facts.serial == ("JL1A2B3" if printing else "")
    assert facts.faults == (("jammed",) if printing else ())


@contextlib.contextmanager
def without(port: int, *left_out: bytes) -> Iterator[int]:
    """A way to the device on which questions with these bytes are lost; its port."""
    with (
        socket.socket(type=socket.SOCK_DGRAM) as near,
        socket.socket(type=socket.SOCK_DGRAM) as far,
    ):
        near.bind(("127.0.0.1", 0))
        far.connect(("127.0.0.1", port))
        over = threading.Event()

        def pass_on() -> None:
            asker = None
            while not over.is_set():
                for one in select.select([near, far], [], [], 0.1)[0]:
                    if one is far:
                        near.sendto(far.recv(9000), asker)
                        continue
                    question, asker = near.recvfrom(9000)
                    if not any(part in question for part in left_out):
                        far.send(question)

        thread = threading.Thread(target=pass_on)
        thread.start()
        yield near.getsockname()[1]
        over.set()
        thread.join()


_STATUS, _SERIAL = bytes([25, 3, 5, 1, 1, 1]), bytes([43, 5, 1, 1, 17, 1])


def test_a_question_that_an_old_one_never_answers_costs_that_fact_alone(printer):
    one = printer("24", 4, access=_ONLY_V1)
    asked(one)
    with without(one.port, _STATUS) as port:
        facts = snmp.ask(one.host, port, one.password, 0.5)
    assert (facts.status, facts.serial, facts.faults) == ("", "JL1A2B3", ("jammed",))
    with without(one.port, _STATUS, _SERIAL) as port:
        facts = snmp.ask(one.host, port, one.password, 0.5)
    assert (facts.description, facts.serial) == ("HP LaserJet 1020", "")


def test_one_that_refuses_five_facts_at_once_is_asked_for_each(printer, monkeypatch):
    one = printer("24", 4)
    assert asked(one).serial == "JL1A2B3"
    monkeypatch.setattr(snmp._Session, "ask", lambda *_: {})
    facts = snmp.ask(one.host, one.port, one.password, 0.5)
    assert (facts.description, facts.serial, facts.faults) == (
        "HP LaserJet 1020",
        "JL1A2B3",
        ("jammed",),
    )


def test_a_jam_is_a_fault_and_low_toner_a_warning(printer):
    one = printer("24", 4)
    asked(one)
    device = ask.ask(one)
    assert (device.fault, device.note) == ("jammed", "warning=low_toner")


def test_a_panel_tells_what_it_is_and_nothing_of_printing(printer):
    """As interactive panels do, whose makers have private tables beyond these."""
    one = msgspec.structs.replace(printer(printing=False, encoding="gbk"), kind="panel")
    asked(one)
    device = ask.ask(one)
    assert (device.kind, device.present, device.power, device.fault) == (
        "panel",
        True,
        "unknown",
        "",
    )
    assert (device.name, device.model, device.serial) == ("文印室", "HP LaserJet 1020", "")


def test_a_wrong_community_is_no_silence_where_the_device_shows_itself(printer, monkeypatch):
    monkeypatch.setattr(ask, "_TIMEOUT_S", 0.3)
    one = printer("00", 3)
    asked(one)
    with pytest.raises(TimeoutError, match="timeout"):
        snmp.ask(one.host, one.port or 0, "wrong", 0.3)
    wrong = ask.ask(msgspec.structs.replace(one, password="wrong"))
    assert (wrong.present, wrong.fault, wrong.power) == (True, "snmp_silent", "unknown")


def test_where_nobody_is_it_is_absent(monkeypatch):
    monkeypatch.setattr(ask, "_TIMEOUT_S", 0.3)
    monkeypatch.setattr(ask, "_FALLBACK_S", 0.1)
    with silent_host() as host:
        assert not ask.ask(Watched(host=host, speaks="snmp", kind="printer")).present


@pytest.mark.parametrize("name", ["no-such-printer.invalid", "文印室..打印机", "x" * 70])
def test_a_name_that_is_none_says_nothing_of_the_device(name):
    with pytest.raises(ask.UnknowableError, match="no_such_name"):
        ask.ask(Watched(host=name, speaks="snmp", kind="printer"))


def test_without_the_extra_a_device_is_only_there_if_it_is(printer, monkeypatch):
    """Never asked, it must not count as a classroom's equipment by being listed."""
    monkeypatch.delattr("agent.probes.network.snmp")
    monkeypatch.setitem(sys.modules, "agent.probes.network.snmp", None)
    monkeypatch.setattr(ask, "_FALLBACK_S", 0.1)
    with silent_host() as host:
        assert not ask.ask(Watched(host=host, speaks="snmp", kind="panel")).present
    here = ask.ask(Watched(host="127.0.0.1", speaks="snmp", kind="printer"))
    assert (here.present, here.fault) == (True, "snmp_not_installed")


@pytest.mark.parametrize(
    ("errors", "faults"),
    [(b"", ()), (b"\x40", ("no_paper",)), (b"\x1c", ("no_toner", "door_open", "jammed"))],
)
def test_error_bits(errors, faults):
    assert snmp.Facts(errors=errors).faults == faults

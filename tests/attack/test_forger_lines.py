"""Tests of a line that the holder of a school's key makes up: no evidence, held, or shown."""

from __future__ import annotations

from agent import wire
from agent.common.vocabulary.doubts import SIGNS
from agent.common.vocabulary.reasons import REASONS
from collector.service.pipeline.inbox import Message
from forged_city import LINE, OPEN_DAYS, SCHOOL, City, at, pc
from forged_reports import health, named


def measured(city: City, address: str, line: str = LINE, who: str | None = None) -> list[Message]:
    """Twelve tests of a line on six days, each with the measurement server's record."""
    told = []
    for n, day in enumerate(day for day in OPEN_DAYS[:6] for _ in range(2)):
        time = at(day, f"18:{10 + n:02}:00")
        ident = f"{n:016x}"
        test = wire.LineTest(
            test=ident, line=line, outcome="ok", down_mbps=95.0, payload_down=10**8, seconds=10.0,
            interface="eth0", wired=True, solo=True, other_share=0.0, server_limited=False,
        )  # fmt: skip
        record = wire.LineRecord(
            test=ident, school=SCHOOL, machine=who or pc(1), line=line, outcome="ok",
            sent_bytes=12 * 10**7, down_mbps=94.0, seconds=10.0, address=address,
        )  # fmt: skip
        told.append(city.message(pc(1), time, test, named("PC-1"), health("6-1")))
        sent = city.message(pc(999), time, record, wire.AgentHealth("0.2.0"), school="lineserver")
        told.append(sent)
    return told


def test_a_line_tested_from_its_own_network_is_verified(city: City) -> None:
    city.hears(*measured(city, "192.0.2.7"))
    city.derive()
    assert city.verdicts()["line"] == ["verified"]
    assert city.doubts() == {}


def test_a_key_holders_tests_from_elsewhere_are_no_evidence(city: City) -> None:
    city.hears(*measured(city, "198.51.100.7"))
    city.derive()
    assert city.verdicts()["line"] == ["declared"]
    assert city.doubts() == {"other_network": 12}
    told = city.explained()
    assert SIGNS["other_network"].zh in told
    assert REASONS["other_network"].zh in told


def test_tests_by_another_pc_than_the_server_saw_show(city: City) -> None:
    city.hears(*measured(city, "192.0.2.7", who=pc(55)))
    city.derive()
    assert city.doubts()["other_machine"] == 12


def test_a_line_that_nobody_registered_is_held(city: City) -> None:
    city.hears(*measured(city, "192.0.2.7", line="我的 1000M"))
    assert city.held() == {"unknown_line": 12}
    assert city.points("line_test") == []

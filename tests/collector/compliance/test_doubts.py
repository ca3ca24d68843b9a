"""Signs of doubt: each forger shows, and no sign changes a verdict."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.common.calendar import midnight_ns
from agent.common.language import choose
from agent.common.vocabulary.doubts import SIGNS
from collector.compliance import evidence
from collector.compliance.displays import Display
from collector.compliance.figure import Judge
from collector.compliance.model import DoubtDay, Evidence, Figure, Verdict
from collector.compliance.split import split
from collector.config import City
from collector.config import Figure as Settings
from collector.report import csv, docx, doubts, explain, html, terminal, view, xlsx
from collector.report.caveats import sentences
from collector.report.context import Context, Selection
from collector.report.selection import narrowed
from collector.roster.register import COMPUTER_ROOM
from collector.store.base import Point
from collector.store.sqlite import SqliteStore

TEN = (1, 2, 3, 7, 8)
FAR = {"address": "198.51.100.7"}
NEAR = {"address": "192.0.2.9"}


def signs(town: Any, **rules: Any) -> dict[str, int]:
    return dict(town.figure(**rules).doubts.get(town.code, {}))


def test_an_ordinary_school_shows_nothing(town: Any) -> None:
    town.line(network="192.0.2.0/24")
    town.tested(12.0, TEN, times=2, record=NEAR)
    assert signs(town) == {}


def test_tests_from_elsewhere_show(town: Any) -> None:
    town.line(network="192.0.2.0/24")
    town.tested(12.0, TEN, times=2, record=FAR)
    assert signs(town) == {"other_network": 10}


def test_tests_of_another_machine_show_and_count(town: Any) -> None:
    town.line()
    town.tested(12.0, TEN, times=2, record={"machine": "b" * 32})
    assert signs(town) == {"other_machine": 10}
    assert town.unit("line").verdict is Verdict.VERIFIED


@pytest.mark.parametrize(("days", "found"), [(6, {}), (7, {"late": 10}), (40, {"late": 10})])
def test_late_tests_show_and_count(town: Any, days: int, found: dict[str, int]) -> None:
    town.line()
    town.tested(12.0, TEN, times=2, late_days=days)
    assert signs(town) == found
    assert town.unit("line").verdict is Verdict.VERIFIED


def test_a_late_test_of_another_machine_is_in_doubt_twice(town: Any) -> None:
    town.line()
    town.tested(12.0, (1,), record={"machine": "b" * 32, "late_days": 9})
    assert signs(town) == {"late": 1, "other_machine": 1}


def test_only_tests_that_count_can_be_late_evidence(town: Any) -> None:
    town.line()
    town.tested(12.0, TEN, late_days=9, wired=False, interface="wlan0")
    assert signs(town) == {}


@pytest.mark.parametrize("limited", [True, False, None])
def test_what_the_server_s_record_calls_limited_by_it_is_no_evidence(
    town: Any, limited: bool | None
) -> None:
    town.line()
    town.tested(12.0, TEN, times=2, record={"server_limited": limited})
    (line,) = town.figure().lines
    assert dict(line.refused) == ({"record_limited": 10} if limited else {})
    assert signs(town) == ({"record_limited": 10} if limited else {})
    assert line.verdict is (Verdict.DECLARED if limited else Verdict.VERIFIED)


def test_where_both_call_it_limited_there_is_no_doubt(town: Any) -> None:
    town.line()
    town.tested(12.0, TEN, record={"server_limited": True}, server_limited=True)
    assert signs(town) == {}


def test_signs_outside_the_window_are_not_counted(town: Any) -> None:
    town.line()
    town.tested(12.0, (100,), times=2, late_days=20)
    found = [DoubtDay(town.code, town.ago(day), ids_alike=9) for day in (100, -1)]
    assert dict(figure(town, found).doubts) == {}


def figure(town: Any, rows: list[DoubtDay], **rules: Any) -> Figure:
    judging = Judge(town.register(), Settings(**rules), City(), year=2026, today=town.cutoff)
    known = town.evidence()
    whole = Evidence(known.room_days, known.line_tests, known.line_records, doubt_days=rows)
    for school, own in split(whole, judging.schools):
        judging.add(school, own)
    return judging.figure(simulated=False)


def test_ids_count_by_their_worst_day_and_late_ones_by_all(town: Any) -> None:
    rows = [
        DoubtDay(town.code, town.ago(1), ids_beyond=3, ids_alike=9, ids_late=2),
        DoubtDay(town.code, town.ago(2), ids_beyond=5, ids_unnamed=1, ids_late=4),
        DoubtDay("9901020002", town.ago(2), ids_beyond=50),
    ]
    assert figure(town, rows).doubts == {
        town.code: {"ids_beyond": 5, "ids_alike": 9, "ids_unnamed": 1, "late": 6}
    }


@pytest.mark.parametrize(
    ("pcs", "together", "found"),
    [(10, 1, 10), (6, 2, 6), (7, 3, None), (5, 1, None), (40, 20, None), (10, 0, None)],
)
def test_a_room_s_ids_that_were_never_on_together(
    town: Any, pcs: int, together: int, found: int | None
) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房", (3,), pcs=pcs, together=together)
    assert signs(town) == ({"ids_in_turn": found} if found else {})


def carried(town: Any, at: dict[str, tuple[int, ...]], half_hours: int = 1 << 16) -> None:
    for room, days in at.items():
        town.taught(room, town.room(room))
        display = Display("a" * 12, "projector", half_hours)
        town.saw(room, days, displays=[display])


def test_a_projector_carried_through_the_rooms_shows(town: Any) -> None:
    carried(town, {str(room): (room + 1,) for room in range(10)})
    assert signs(town) == {"moved_device": 1}


def test_two_devices_that_look_alike_are_none_that_moved(town: Any) -> None:
    carried(town, {"101": TEN, "102": TEN})
    assert signs(town) == {}


def test_a_device_of_two_schools_shows_in_both(town: Any) -> None:
    other = town.school("9901020002")
    carried(town, {"101": (1, 2, 3)})
    town.taught("一班", town.room("101", code=other), code=other)
    town.saw("101", (7, 8), code=other, displays=[Display("a" * 12, "projector", 1)])
    assert dict(town.figure().doubts) == {code: {"moved_device": 1} for code in (town.code, other)}


numbers = st.integers(0, 300)
rows_of = st.lists(st.tuples(st.integers(0, 130), numbers, numbers, numbers, numbers), max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    rows=rows_of,
    rates=st.lists(st.sampled_from([6.0, 9.7, 12.0]), min_size=5, max_size=15),
    late=st.integers(0, 60),
    machine=st.sampled_from(["a" * 32, "b" * 32]),
)
def test_no_sign_changes_a_verdict(
    new_town: Any, rows: list[tuple[int, ...]], rates: list[float], late: int, machine: str
) -> None:
    def verdicts(doubted: bool) -> list[tuple[str, str, Verdict]]:
        town = new_town()
        town.school()
        town.line()
        town.taught("一班", town.room("101", computer=1, projector=0))
        town.saw("101", (1, 2, 3), "display")
        town.room("机房", kind=COMPUTER_ROOM, seats=10)
        town.saw("机房", (2,), pcs=12, together=4)
        for day, rate in enumerate(rates):
            record = {"machine": machine if doubted else "a" * 32}
            town.tested(rate, (day,), times=2, record=record, late_days=late if doubted else 0)
        days = [DoubtDay(town.code, town.ago(day), *found) for day, *found in rows]
        found = figure(town, days if doubted else [])
        return [(unit.indicator, unit.name, unit.verdict) for unit in found.units]

    assert verdicts(doubted=True) == verdicts(doubted=False)


def odd(town: Any) -> Figure:
    town.school("9901030001", responsible="630103")
    town.line(network="192.0.2.0/24")
    town.tested(12.0, TEN, times=2, record=FAR)
    rows = [DoubtDay(town.code, town.ago(1), ids_alike=79)]
    return figure(town, [*rows, DoubtDay("9901030001", town.ago(1), ids_alike=5)])


def test_a_figure_says_its_signs_in_total_and_by_school(town: Any) -> None:
    found = odd(town)
    choose("en")
    (said,) = doubts.sentences(found)
    assert "at 2 schools" in said
    assert f"{SIGNS['ids_alike'].en}: 84 (schools: 2)" in said
    assert f"{SIGNS['other_network'].en}: 10 (schools: 1)" in said
    assert said in list(sentences(found))
    own = narrowed(found, Selection(area="630103"))
    (said,) = doubts.sentences(own)
    assert f"{SIGNS['ids_alike'].en}: 5 (schools: 1)" in said
    assert view.document(found)["doubts"] == {
        town.code: {"ids_alike": 79, "other_network": 10}, "9901030001": {"ids_alike": 5},
    }  # fmt: skip


def test_a_school_s_signs_are_explained(town: Any) -> None:
    found = odd(town)
    choose("zh")
    text = "\n".join(explain.text(found, town.code))
    assert f"{SIGNS['ids_alike'].zh}：79" in text
    assert f"{SIGNS['other_network'].zh}：10" in text
    assert "198.51" not in text
    assert explain.as_json(found, town.code)["doubts"] == {town.code: found.doubts[town.code]}


def test_the_table_has_a_row_a_school_and_sign(town: Any) -> None:
    found = odd(town)
    choose("zh")
    rows = [tuple(row[1:]) for row in doubts.table(found).rows()]
    assert [(code, number) for code, _, _, number in rows] == [
        (town.code, 79), (town.code, 10), ("9901030001", 5),
    ]  # fmt: skip
    assert b"doubts.csv" in csv.render(found, Context())


def test_without_signs_nothing_is_said(town: Any) -> None:
    found = town.figure()
    assert list(doubts.sentences(found)) == []
    assert list(doubts.of_school(found, town.code)) == []


def test_signs_are_read_from_the_store(town: Any, fill: Any, tmp_path: Path) -> None:
    town.line()
    record = {"late_days": 8, "server_limited": False}
    town.tested(12.0, TEN, times=2, late_days=8, lossy=True, record=record)
    with SqliteStore(tmp_path / "store.db") as store:
        fill(town, store)
        for day, count in ((3, 7), (4, 0), (200, 9)):
            tags = {"school": town.code, "district": "630102"}
            at = midnight_ns(town.ago(day))
            store.write([Point("school_day", tags, {"ids_alike": count}, at)])
        found = evidence.load(store, town.register(), Settings(), town.cutoff)
    assert list(found.doubt_days) == [DoubtDay(town.code, town.ago(3), ids_alike=7)]
    assert set(found.line_tests) == set(town.tests)
    assert set(found.line_records) == set(town.records)


def test_one_school_alone_says_what_ended_an_earlier_no(
    town: Any, fill: Any, tmp_path: Path
) -> None:
    """Its window is a yes, so the no of half a year ago is read for the explanation alone."""
    town.line()
    town.tested(5.0, range(200, 210))
    town.tested(12.0, range(1, 11))
    register = town.register()
    with SqliteStore(tmp_path / "store.db") as store:
        fill(town, store)
        found = {only: _of(store, register, town.cutoff, only) for only in (None, town.code)}
    assert [f.units[-1].verdict for f in found.values()] == [Verdict.VERIFIED] * 2
    choose("en")
    said = {only: "\n".join(explain.text(f, town.code)) for only, f in found.items()}
    no = str(town.ago(200))
    assert no in said[town.code]
    assert no not in said[None]


def _of(store: SqliteStore, register: Any, cutoff: dt.date, only: str | None) -> Figure:
    judging = Judge(register, Settings(), City(), year=2026, today=cutoff, only=only)
    for school, found in evidence.by_school(
        store, register, Settings(), cutoff, judging.schools, tracing=judging.tracing
    ):
        judging.add(school, found)
    return judging.figure(simulated=False)


def test_every_format_shows_them(town: Any) -> None:
    found = odd(town)
    (said,) = doubts.sentences(found)
    assert said in html.render(found, Context()).decode()
    terminal.show(found, out := io.StringIO())
    assert SIGNS["ids_alike"].zh in re.sub(r"\s", "", out.getvalue())
    book = zipfile.ZipFile(io.BytesIO(xlsx.render(found, Context())))
    assert 'name="疑点"' in book.read("xl/workbook.xml").decode()
    text = zipfile.ZipFile(io.BytesIO(docx.render(found, Context()))).read("word/document.xml")
    assert SIGNS["other_network"].zh in text.decode()

"""When a rotation ends: who has moved, who is waited for, and who must not be locked out."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from collector.broker.control import ControlError
from collector.enrol import brokering, seen
from collector.enrol.rotation import BEFORE_MS, Standing, standing, trusting, verdict
from collector.enrol.seen import Heard, Seen, SeenBook, after
from collector.enrol.state import Credential, Held, Rotation
from collector.store.base import Point
from collector.store.factory import open_store
from enrolled_city import SCHOOLS, EnrolledCity

CODE, DAY = SCHOOLS[0], 86_400_000
BEGUN = 1_790_000_000_000
PC = tuple(f"{number:032x}" for number in range(10))


def held(generation: int = 2) -> Held:
    one = Credential(CODE, generation, "p", "l", "s", BEGUN, "test")
    return Held(one, one._replace(generation=generation - 1))


def said(machine: str, *, generation: int = 2, kept: bool = True, at: int = BEGUN + 1) -> Seen:
    return Seen(CODE, machine, generation, at, "b" * 16, kept, "")


def found(*rows: Seen, reported: Any = (), retired: Any = ()) -> Standing:
    return standing(held(), Rotation(CODE, BEGUN, ""), rows, reported, retired)


def test_a_pc_has_moved_once_a_boot_began_with_the_new_credential() -> None:
    both = found(said(PC[0]), said(PC[1], generation=1), said(PC[2], kept=False))
    assert both == Standing((PC[0],), (PC[1], PC[2]), (PC[2],))


def test_a_pc_of_which_only_the_store_knows_is_waited_for() -> None:
    """Its hello came before hellos were written down."""
    assert found(said(PC[0]), reported={PC[0], PC[5]}).behind == (PC[5],)


def test_a_retired_one_and_one_of_long_before_are_not() -> None:
    rows = (
        said(PC[0]),
        said(PC[1], generation=1),
        said(PC[2], at=BEGUN - BEFORE_MS - 1, generation=1),
    )
    assert found(*rows, retired={PC[1]}) == Standing((PC[0],))


def test_a_summer_s_silence_does_not_end_it() -> None:
    """Seen a day before it began, and off for two months since."""
    late = found(said(PC[0]), said(PC[1], generation=1, at=BEGUN - DAY))
    assert verdict(Rotation(CODE, BEGUN, ""), late, BEGUN + 70 * DAY) == ""


def test_it_ends_when_all_have_moved_or_after_its_last_day() -> None:
    moved, behind = found(said(PC[0])), found(said(PC[0], generation=1))
    last = dt.datetime.fromtimestamp(BEGUN / 1000, CITY_TIME).date()
    limited = Rotation(CODE, BEGUN, last.isoformat())
    assert verdict(Rotation(CODE, BEGUN, ""), moved, BEGUN + 1) == "moved 1"
    assert verdict(limited, behind, BEGUN) == ""
    assert verdict(limited, behind, BEGUN + DAY) == f"until {last}"


def test_a_school_whose_pcs_are_not_installed_yet_keeps_both_for_a_month() -> None:
    rotation = Rotation(CODE, BEGUN, "")
    assert verdict(rotation, Standing(), BEGUN + BEFORE_MS - 1) == ""
    assert verdict(rotation, Standing(), BEGUN + BEFORE_MS) == "moved 0"


def boots(*said: tuple[str, int]) -> Seen:
    """What is known after hellos of (boot, generation)."""
    row: Seen | None = None
    for at, (boot, generation) in enumerate(said):
        row = after(row, Heard(CODE, PC[0], boot, generation, "", at))
    assert row is not None
    return row


def test_what_was_taken_within_a_boot_is_not_kept_until_the_next_begins_with_it() -> None:
    assert boots(("a", 1)).kept
    assert not boots(("a", 1), ("a", 2)).kept
    assert boots(("a", 1), ("a", 2), ("b", 2)) == Seen(CODE, PC[0], 2, 2, "b", True, "")
    assert boots(("a", 2), ("a", 2)).kept  # only connected again


@pytest.mark.parametrize("seed", range(20))
def test_a_restore_card_never_counts_as_moved(seed: int) -> None:
    """Whatever the number of its boots and connections: each boot begins with the old one."""
    draw, hellos = random.Random(seed), []
    for boot in range(draw.randint(1, 8)):
        hellos += [(str(boot), 1), *itertools.repeat((str(boot), 2), draw.randint(0, 3))]
    last = boots(*hellos)
    assert not (last.kept and last.generation >= 2)


def test_the_book_keeps_one_row_a_pc_and_no_more_pcs_than_a_school_can_have(tmp_path: Path) -> None:
    path = tmp_path / "credentials.db"
    book = SeenBook(path)
    book.note([Heard(CODE, PC[0], "a", 1, "x", 1), Heard(CODE, PC[0], "b", 2, "y", 2)])
    invented = [Heard(CODE, f"{n:032x}", "a", 1, "", 3) for n in range(100, 100 + 2 * seen.MOST)]
    book.note([*invented, Heard(SCHOOLS[1], PC[1], "a", 1, "", 3)])
    book.note([Heard(CODE, PC[0], "c", 3, "z", 4)])
    book.close()
    rows = seen.read(path)
    assert len(rows[CODE]) == seen.MOST
    assert rows[CODE][0] == Seen(CODE, PC[0], 3, 4, "c", 1, "z")
    assert [row.machine for row in rows[SCHOOLS[1]]] == [PC[1]]
    assert list(seen.read(path, 4)) == [CODE]
    assert seen.read(tmp_path / "none.db") == {}


# ---- by the commands


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def reported(city: EnrolledCity, machine: str) -> None:
    """The store has a report of today."""
    tags = {"school": CODE, "district": "630102", "room": "", "machine": machine}
    fields = {"seen": True, "last_ms": now_ms(), "reports": 1}
    with open_store(city.config) as store:
        store.write([Point("machine_day", tags, fields, now_ms() * 1_000_000)])


def generations(city: EnrolledCity) -> list[int]:
    with city.state() as state:
        return [one.generation for one in state.held()[CODE].all]


def test_both_work_until_all_have_moved(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    city.heard(CODE, (PC[0], "a", 1), (PC[1], "a", 1))
    assert city.enrol("rotate", CODE) == 0
    assert city.enrol("check") == 0
    with city.state() as state:
        both = state.held()[CODE].all
    keys = [
        (city.place.keys / f"{CODE}{end}").read_text().strip() for end in (".previous.key", ".key")
    ]
    assert keys == [one.line_key for one in both]
    assert both[0].source_key == both[1].source_key  # digests stay comparable
    city.heard(CODE, (PC[0], "a", 2), (PC[0], "b", 2))
    assert city.enrol("settle") == 0
    assert generations(city) == [1, 2]
    capsys.readouterr()
    assert city.enrol("list", "--json") == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["pcs"], row["behind"]) == ({"1": 1, "2": 1}, [PC[1]])
    city.heard(CODE, (PC[1], "b", 2))
    assert city.enrol("settle") == 0
    assert generations(city) == [2]
    assert not (city.place.keys / f"{CODE}.previous.key").exists()
    assert city.enrol("check") == 0


def test_one_that_only_reports_holds_it_open(city: EnrolledCity) -> None:
    city.enrol("--all")
    city.enrol("rotate", CODE)
    city.heard(CODE, (PC[0], "b", 2))
    reported(city, PC[7])
    assert city.enrol("settle") == 0
    assert generations(city) == [1, 2]


def test_a_store_that_does_not_answer_ends_nothing(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    city.enrol("rotate", CODE)
    city.heard(CODE, (PC[0], "b", 2))
    (city.place.data / "schoolpulse.db").write_bytes(b"no database" * 1000)
    assert city.enrol("settle") == 1
    assert generations(city) == [1, 2]
    assert city.enrol("list") == 1


def test_a_second_rotation_waits_and_may_set_the_last_day(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    city.enrol("rotate", CODE)
    assert city.enrol("rotate", CODE) == 1
    assert generations(city) == [1, 2]
    today = dt.datetime.now(CITY_TIME).date()
    assert city.enrol("rotate", CODE, "--until", str(today - dt.timedelta(days=1))) == 2
    assert city.enrol("rotate", CODE, "--until", str(today)) == 0
    with city.state() as state:
        assert state.rotations()[CODE].until == str(today)
    assert city.enrol("rotate", "9999999999") == 2


def test_trust_that_a_boot_forgot_is_none() -> None:
    rows = [said(PC[0])._replace(ca="new"), said(PC[1], kept=False)._replace(ca="new"), said(PC[2])]
    assert trusting(rows, {"new"}, 0) == Standing((PC[0],), (PC[1], PC[2]))


def test_the_broker_has_an_account_before_pcs_are_told_of_it(
    city: EnrolledCity, monkeypatch: Any
) -> None:
    """The collector sends a renewal within a second; a PC that the broker refuses loses time."""
    assert city.enrol(CODE) == 0
    told = []

    def refusing(*_: Any) -> Any:
        told.append(json.loads((city.place.renewals / f"{CODE}.json").read_bytes())["generation"])
        raise ControlError("it does not answer")

    monkeypatch.setattr(brokering, "apply", refusing)
    assert city.enrol("rotate", CODE) != 0
    assert city.enrol("--all") != 0
    assert city.ca("renew") != 0
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(brokering, "asked", lambda _: True)
        elsewhere.setattr(brokering, "end", lambda *_: [])
        assert city.enrol("settle") == 0
    refusing_still = json.loads((city.place.renewals / f"{CODE}.json").read_bytes())
    assert refusing_still["generation"] == 1
    monkeypatch.undo()
    assert city.enrol("--all") == 0
    told.append(json.loads((city.place.renewals / f"{CODE}.json").read_bytes())["generation"])
    assert told == [1, 1, 1, 2]

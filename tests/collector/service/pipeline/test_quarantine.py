"""The quarantine: whole messages, bounded, never evicted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from collector.service.pipeline.quarantine import Quarantine, Row


def row(number: int, size: int = 100) -> Row:
    return Row(number, f"topic/{number}", bytes(size), "not JSON")


def test_quarantine_keeps_the_whole_message_across_a_restart(tmp_path: Path) -> None:
    first = Quarantine(tmp_path / "q.db", 10_000)
    assert first.add([row(1), row(2)]) == [True, True]
    first.close()
    again = Quarantine(tmp_path / "q.db", 10_000)
    assert list(again.rows()) == [row(1), row(2)]
    assert again.size()[0] == 2
    again.close()


def test_quarantine_is_bounded_and_never_evicts(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.db", 1000)
    kept = [quarantine.add([row(number)])[0] for number in range(20)]
    assert kept[0] is True
    assert kept[-1] is False
    assert quarantine.size() == (kept.count(True), quarantine.size()[1])
    assert quarantine.size()[1] <= 1000
    assert next(iter(quarantine.rows())) == row(0)
    quarantine.close()


def test_a_resend_is_quarantined_once_even_when_full(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.db", 300)
    assert quarantine.add([row(1), row(1)._replace(time=9)]) == [True, True]
    assert quarantine.add([row(2)]) == [False]
    assert quarantine.add([row(1)]) == [True]
    assert quarantine.size()[0] == 1
    quarantine.close()


def test_two_processes_share_one_bound(tmp_path: Path) -> None:
    one, two = (Quarantine(tmp_path / "q.db", 600) for _ in "ab")
    kept = [quarantine.add([row(n)])[0] for n in range(6) for quarantine in (one, two)]
    assert one.size() == two.size()
    assert one.size()[1] <= 600
    assert any(kept)
    one.close()
    two.close()


def of_school(school: str, number: int) -> Row:
    return row(number, 100_000)._replace(topic=f"schoolpulse/v1/{school}/m/report/b/{number}")


def test_one_school_fills_its_part_and_the_others_have_theirs(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.db", 32 << 20)
    kept = quarantine.add([of_school("9901020001", number) for number in range(100)])
    assert 0 < kept.count(True) * 100_000 <= 2 << 20
    assert quarantine.add([of_school("9901020002", 1), row(1)]) == [True, True]
    assert quarantine.add([of_school("9901020001", 0)]) == [True]  # sent again
    quarantine.close()


def test_what_is_removed_gives_its_school_room_again(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.db", 32 << 20)
    while quarantine.add([of_school("9901020001", quarantine.size()[0])])[0]:
        pass
    quarantine.remove([next(quarantine.numbered())[0]])
    assert quarantine.add([of_school("9901020001", 999)]) == [True]
    quarantine.close()


def test_what_an_older_version_kept_counts_for_its_school(tmp_path: Path) -> None:
    first = Quarantine(tmp_path / "q.db", 32 << 20)
    first.add([of_school("9901020001", number) for number in range(15)])
    first.close()
    with closing(sqlite3.connect(tmp_path / "q.db")) as db:
        db.executescript(
            "DROP TRIGGER came_of; DROP TRIGGER went_of; DROP TABLE share; PRAGMA user_version = 1"
        )
    again = Quarantine(tmp_path / "q.db", 32 << 20)
    kept = again.add([of_school("9901020001", number) for number in range(15, 30)])
    assert kept.count(True) == (2 << 20) // 100_200 - 15
    again.close()

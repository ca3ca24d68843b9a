"""The quarantine: whole messages, bounded, never evicted."""

from __future__ import annotations

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

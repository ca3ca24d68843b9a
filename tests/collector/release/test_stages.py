"""Stages: who is offered what, when one stops by itself, and the commands."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import msgspec
import pytest

from agent.common.calendar import CITY_TIME, Calendar
from agent.common.command_line import main
from agent.update.manifest import genuine
from collector.cli import COMMANDS
from collector.config import Config
from collector.doctor import releases
from collector.release import judging, key
from collector.release.book import FILE, Pc, ReleaseBook, Stage
from collector.release.offers import offers

MONDAY = dt.datetime(2026, 11, 30, 15, 0, tzinfo=CITY_TIME)
SCHOOL, OTHER = "9900000001", "9900000002"


def ms(time: dt.datetime) -> int:
    return int(time.timestamp() * 1000)


def pc(number: int, state: str, began: dt.datetime | None = MONDAY) -> Pc:
    at = ms(began or MONDAY)
    return Pc("0.3.0", SCHOOL, f"{number:032x}", state, at, None if began is None else at)


def test_only_open_hours_count() -> None:
    calendar = Calendar()
    friday = dt.datetime(2026, 11, 27, 17, 30, tzinfo=CITY_TIME)
    assert judging.open_s(calendar, ms(friday), ms(MONDAY)) == (0.5 + 7.5) * 3600
    assert judging.open_s(calendar, ms(friday), ms(friday + dt.timedelta(hours=12))) == 1800
    assert judging.open_s(calendar, ms(MONDAY), ms(friday)) == 0


@pytest.mark.parametrize(
    ("states", "hours", "stops"),
    [
        (["installing"] * 2 + ["installed"] * 8, 3, True),
        (["installing"] * 2 + ["installed"] * 18, 3, False),  # 10% is not more than 10%
        (["installing"] * 3 + ["installed"] * 17, 3, True),
        (["installing"] * 9, 1, False),  # they may still come
        (["installing"], 30, False),  # one PC may have been switched off
        (["failed:rolled_back"] * 2 + ["installed"] * 3, 0, True),
        (["installed"] * 5, 30, False),
    ],
)
def test_a_stage_stops_where_its_pcs_do_not_come_back(
    states: list[str], hours: int, stops: bool
) -> None:
    pcs = [pc(number, state) for number, state in enumerate(states)]
    pcs += [pc(100 + number, "failed:no_space", None) for number in range(50)]  # took nothing
    now = ms(MONDAY + dt.timedelta(hours=hours))
    found = judging.standing(pcs, Calendar(), ms(MONDAY) - 1, now)
    assert found.must_stop == stops
    later = judging.standing(pcs, Calendar(), ms(MONDAY) + 1, now)
    assert not later.took, "those of an earlier attempt do not count"


def test_reports_are_read_and_others_text_is_not_believed() -> None:
    read = judging.reported
    assert read(SCHOOL, "m", "installing:0.3.0", 7, {"0.3.0"}) == Pc(
        "0.3.0", SCHOOL, "m", "installing", 7, 7
    )
    found = read(SCHOOL, "m", "failed:no_space:0.3.0", 7, {"0.3.0"})
    assert found is not None
    assert (found.state, found.began_ms) == ("failed:no_space", None)
    for text in ("", "0.3.0", ":0.3.0", "installing:0.4.0", "x" * 300):
        assert read(SCHOOL, "m", text, 7, {"0.3.0"}) is None


def test_pcs_outside_a_share_get_the_version_before() -> None:
    stages = [
        Stage(3, "0.10.0", (), 5, 3), Stage(2, "0.9.0", (), 100, 2), Stage(1, "0.9.0", (), 5, 1),
        Stage(4, "0.11.0", (SCHOOL,), 100, 4), Stage(5, "0.12.0", (), 100, 5),
    ]  # fmt: skip
    found = offers(stages, {"0.12.0"}, SCHOOL, "http://s:1/")
    assert [(one.version, one.percent) for one in found] == [
        ("0.11.0", 100), ("0.10.0", 5), ("0.9.0", 100),
    ]  # fmt: skip
    assert found[0].manifest == "http://s:1/releases/manifest.json"
    assert [one.version for one in offers(stages, {"0.12.0"}, OTHER, "http://s")] == [
        "0.10.0", "0.9.0",
    ]  # fmt: skip
    assert offers(stages, (), SCHOOL, "") == ()


def test_a_late_report_does_not_undo_a_later_one(tmp_path: Path) -> None:
    book = ReleaseBook(tmp_path / FILE)
    book.note(
        [Pc("0.3.0", SCHOOL, "m", "installing", 5, 5), Pc("0.3.0", SCHOOL, "m", "installed", 9)]
    )
    book.note([Pc("0.3.0", SCHOOL, "m", "installing", 5, 5)])
    assert book.pcs("0.3.0") == [Pc("0.3.0", SCHOOL, "m", "installed", 9, 5)]
    book.close()


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, data = tmp_path / "collector.toml", tmp_path / "data"
    settings.write_text(f'data = "{data}"\n[lines]\nserver = "http://127.0.0.1:8095"\n')
    package = tmp_path / "offline.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("schoolpulse-agent/wheels/schoolpulse-0.3.0-py3-none-any.whl", "x")

    def release(*words: str) -> tuple[int, str]:
        words = ("release", *words, "--config", str(settings))
        code = main("schoolpulse", COMMANDS, words)
        said = capsys.readouterr()
        return code, said.out + said.err

    add = ("add", str(package), "--version", "0.3.0")
    assert release(*add)[0] == 2, "no key yet"
    code, said = release("key")
    public = key.public(data / "release.key")
    assert code == 0
    assert f'public_key = "{public}"' in said
    assert release("key")[1] == said, "the same key"
    assert release("add", str(settings), "--version", "0.3.0")[0] == 2, "no bundle"
    assert release("add", str(package), "--version", "v3")[0] == 2
    assert release(*add)[0] == 0
    manifest = data / "releases/manifest.json"
    first = genuine(manifest.read_bytes(), public, 0)
    assert [file.version for file in first.files] == ["0.3.0"]
    assert release("stage", "0.3.0")[0] == 2, "to whom?"
    assert release("stage", "0.4.0", "--all")[0] == 2
    assert release("stage", "0.3.0", "--percent", "5")[0] == 0
    assert "5%" in release("status")[1]
    config = Config(data=str(data))
    assert releases.check(config).ok
    book = ReleaseBook(data / FILE)
    book.stop("0.3.0", "not_back:2/8", 9)
    book.close()
    found = releases.check(config)
    assert not found.ok
    assert "2" in found.detail
    away = data / "release.key"
    away.rename(tmp_path / "away.key")
    code, said = release("withdraw", "0.3.0", "--why", "bad")
    assert code == 2
    assert genuine(manifest.read_bytes(), public, 0) == first, "not signed anew without the key"
    key_file = ("--key", str(tmp_path / "away.key"))
    assert release("withdraw", "0.3.0", "--why", "bad", *key_file)[0] == 0
    second = genuine(manifest.read_bytes(), public, first.serial + 1)
    assert (second.files, second.withdrawn) == ((), ("0.3.0",))
    assert release("stage", "0.3.0", "--all")[0] == 2
    assert release(*add, *key_file)[0] == 2
    assert "bad" in release("list")[1]
    assert release("status", "--pcs", "--json")[0] == 0
    assert msgspec.json.decode(manifest.read_bytes())

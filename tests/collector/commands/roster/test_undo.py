"""An import undone, and the register as of a day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

from agent.common.calendar import CITY_TIME
from collector.roster.book import RegisterBook
from collector.roster.rows import rows_of
from collector.store.sqlite import SqliteStore
from judged_town import build
from typed import Typed

from .conftest import new_school


def test_undo_and_the_undo_of_an_undo(
    typed: Typed, book: RegisterBook, city: Path, tmp_path: Path
) -> None:
    first = book.rows()
    typed("roster", "import", new_school(tmp_path / "one"), "--remove")
    second = book.rows()
    code, text = typed("roster", "undo", "--who", "甲")
    assert (code, book.rows()) == (0, first)
    assert "新增 学校：9963020001 城东区示例小学（连同" in text
    assert typed("roster", "undo")[0] == 0
    assert book.rows() == second
    assert [made.restores for made in book.history()] == [None, None, 1, 2]
    assert book.history()[2].who == "甲"
    assert "恢复第 1 次" in typed("roster", "history")[1]
    typed("roster", "undo", "--to", "1")
    assert book.rows() == first
    version = book.version()
    assert typed("roster", "undo", "--dry-run")[0] == 0
    assert book.version() == version


def test_there_is_nothing_to_undo(typed: Typed, folder: Path) -> None:
    assert typed("roster", "undo")[0] == 2
    typed("roster", "import", folder)
    code, text = typed("roster", "undo")
    assert (code, "只有一次导入" in text) == (2, True)
    code, text = typed("roster", "undo", "--to", "7")
    assert (code, "没有第 7 次导入" in text) == (2, True)


def test_the_register_as_of_a_day(
    typed: Typed, book: RegisterBook, folder: Path, tmp_path: Path
) -> None:
    """An import just before and one just after a local midnight."""
    typed("roster", "import", folder)
    rows = book.rows()
    book.path.unlink()
    midnight = dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)  # the second of March begins
    second = dt.timedelta(seconds=1)
    book.import_rows(dataclasses.replace(rows, machines=()), now=midnight - second)
    book.import_rows(rows, now=midnight)
    for day, count in (("2026-03-01", 1), ("2026-03-02", 3), ("2026年3月9日", 3), ("1", 1)):
        out = tmp_path / f"out-{day}"
        assert typed("roster", "export", "--at", day, "--out", out)[0] == 0
        lines = (out / "machines.csv").read_text("utf-8-sig").splitlines()
        assert len(lines) == count
    code, text = typed("roster", "export", "--at", "2026-02-28", "--out", tmp_path / "none")
    assert (code, "第一次是 2026-03-01" in text) == (2, True)
    assert not (tmp_path / "none").exists()


def test_undo_gives_the_figure_back_to_the_last_digit(
    typed: Typed, book: RegisterBook, fill: Any, tmp_path: Path
) -> None:
    """The city, then one new school over it, then undo; each figure by the real command."""
    town = build(dt.datetime.now(CITY_TIME).date())
    with SqliteStore(typed.data / "schoolpulse.db") as store:
        fill(town, store)
    book.import_rows(rows_of(town.register()))
    book.add_inspections(town.inspections)

    def figure() -> str:
        code, text = typed("figure", "--json")
        assert code == 0
        return text

    city = figure()
    assert json.loads(city)["areas"][0]["indicators"]["multimedia"]["verified"] == 1
    assert typed("roster", "import", new_school(tmp_path / "one"))[0] == 2
    assert figure() == city
    assert typed("roster", "import", tmp_path / "one", "--remove")[0] == 0
    alone = figure()
    assert json.loads(alone)["areas"] != json.loads(city)["areas"]
    assert typed("roster", "undo")[0] == 0
    assert figure() == city
    assert typed("roster", "undo")[0] == 0
    assert figure() == alone

"""Writes a simulated city into a register and a store; refuses if they have other rows.

RefusedError (agent.common.command_line): the register has schools already, or the store evidence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from agent.common import files
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.config import City as CitySettings
from collector.config import Config
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.rows import rows_of
from collector.simulate import evidence, truth
from collector.simulate.city import City
from collector.store import Store

#: Codes of example schools; no real 学校标识码 begins so.
EXAMPLE = "99"
WHO = "schoolpulse simulate"
TRUTH_FILE = "truth.json"
_BATCH = 5000
_EVER = 2**62
_EVIDENCE = ("machine_day", "line_test", "line_record")


def check_register(book: RegisterBook) -> None:
    """Refuse a register with schools, as the simulation would replace them.

    Another simulated city is refused too: its evidence and inspections would stay under the same
    codes, and the expected verdicts would no longer hold.

    Raises:
        RefusedError: the register has schools.
    """
    schools = book.load_or_empty().schools
    real = [code for code in schools if not code.startswith(EXAMPLE)]
    if real:
        raise RefusedError(
            say(
                f"台账里有 {len(real)} 所真实学校（如 {real[0]}），模拟会替换整个台账。{_other()}",
                f"the register contains {len(real)} real schools (such as {real[0]}), and simulate "
                f"replaces the whole register. {_other()}",
            )
        )
    if schools:
        raise RefusedError(
            say(
                f"{book.path} 里已有 {len(schools)} 所示例学校，混在一起真值就不成立。{_other()}",
                f"{book.path} already contains {len(schools)} example schools; mixed with them, "
                f"the expected figures would be wrong. {_other()}",
            )
        )


def check_store(store: Store) -> None:
    """Refuse a store with evidence.

    Raises:
        RefusedError: it has some.
        UnavailableError, MisconfiguredError: it cannot be read.
    """
    for measurement in _EVIDENCE:
        for point in store.read(measurement, 0, _EVER):
            school = point.tags.get("school", "")
            raise RefusedError(
                say(
                    f"数据库里已有证据（学校 {school}），与模拟数据混在一起就分不开了。{_other()}",
                    f"the store already contains evidence (school {school}), which could not be "
                    f"separated from simulated rows. {_other()}",
                )
            )


def _other() -> str:
    return say(
        "请换一个数据目录或数据库；一定要写，加 --force",
        "Choose another data folder or store; to write anyway, add --force",
    )


def write_register(book: RegisterBook, city: City) -> None:
    """Replace the register with the city's, and add its inspections."""
    book.import_rows(rows_of(city.register()), who=WHO, source=f"seed {city.size.seed}")
    book.add_inspections(city.inspections, who=WHO)


def holds(book: RegisterBook, city: City) -> bool:
    """Whether the register is the city's."""
    return bool(book.history()) and book.rows() == rows_of(city.register())


def write_evidence(
    store: Store, city: City, progress: Callable[[dt.date, int], None] | None = None
) -> int:
    """Write all days, oldest first; returns how many points.

    `progress` gets each day and the number of points written so far.

    Raises:
        UnavailableError, MisconfiguredError: some days are written; write all again.
    """
    count = 0
    for day, points in evidence.days(city):
        for at in range(0, len(points), _BATCH):
            store.write(points[at : at + _BATCH])
        count += len(points)
        if progress:
            progress(day, count)
    return count


def write_indicators(store: Store, city: City, config: Config, day: dt.date) -> int:
    """Judge the city as of `day` and write its indicators; returns how many points.

    Raises:
        UnavailableError, MisconfiguredError: nothing of the day is sure; judge it again.
    """
    register = city.register()
    keeper = Keeper(store, lambda: register, config.figure, config.city, config.report_s)
    return keeper.judge(day)


def write_truth(folder: Path, city: City, settings: CitySettings) -> Path:
    """Write truth.json into `folder`; returns its path."""
    path = folder / TRUTH_FILE
    files.replace(path, truth.as_json(city, settings.code), durable=False)
    return path

"""From the settings to the figure: register, store, evidence, judgement."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator, Sequence

import msgspec

from agent.common.calendar import CITY_TIME, local_day, start_of
from agent.common.command_line import RefusedError, config_argument
from agent.common.language import say
from agent.common.printable import shown
from collector import config
from collector.compliance import evidence
from collector.compliance.figure import Judge, judge
from collector.compliance.model import Evidence, Figure
from collector.compliance.parts import Asked, judge_all
from collector.compliance.window import ONE_DAY, cutoff
from collector.roster.register import Register
from collector.store.base import SimulatedRows, Store, StoreError
from collector.store.tables import whose

_NAMED = 12  # places of simulated rows that a refusal lists
_FIRST_YEAR = 2000  # before it nobody set a target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every command that makes a figure."""
    config_argument(parser)
    parser.add_argument(
        "--year", type=_year, help=say("年度，默认今年", "year (default: this year)")
    )
    parser.add_argument(
        "--cutoff",
        metavar="YYYY-MM-DD",
        type=_day,
        help=say("截止日，在该年度内", "cut-off date, within the year"),
    )
    simulated_argument(parser)


def simulated_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--simulated`: without it invented rows are refused."""
    text = say(
        "允许含模拟数据，所有输出加水印", "accept simulated data; every output is watermarked"
    )
    parser.add_argument("--simulated", action="store_true", help=text)


def live_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--live`, for the commands that show the frozen figure of a frozen year."""
    text = say(
        "按现在的台账和依据计算，不用已冻结的指标",
        "judge by today's register and evidence, not the frozen figure",
    )
    parser.add_argument("--live", action="store_true", help=text)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        wrong = say(f"{text!r} 不是 YYYY-MM-DD 的日期", f"{text!r} is not a date like YYYY-MM-DD")
        raise argparse.ArgumentTypeError(wrong) from error


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and _FIRST_YEAR <= int(text) <= dt.MAXYEAR):
        wrong = say(f"{text!r} 不是年份，写如 2026", f"{text!r} is not a year like 2026")
        raise argparse.ArgumentTypeError(wrong)
    return int(text)


def figure(args: argparse.Namespace, school: str | None = None) -> Figure:
    """The figure that the command line asks for: of a frozen year the frozen one.

    If a school's code is given, the live figure is of it alone.

    Raises:
        ArchiveError: the archive of that year does not verify.
        RefusedError, SettingsError, StoreError: as `with_evidence`.
    """
    return _frozen(args) or _live(args, school)


def _frozen(args: argparse.Namespace) -> Figure | None:
    """The figure of the year's archive; None where it is not frozen, or not asked for."""
    from collector.archive import lookup

    settings, _ = config.load(args.config)
    year = args.year or dt.datetime.now(CITY_TIME).year
    row = lookup.years(settings, simulated=args.simulated).get(year)
    if row is None:
        return None
    warn(lookup.named(row))
    if args.live or args.cutoff not in (None, row.cutoff):
        warn(say("以下是按现在的数据算的", "what follows is judged by today's data"))
        return None
    return lookup.figure(settings, row)


def _live(args: argparse.Namespace, school: str | None) -> Figure:
    settings, rules, year, today = _asked(args)
    register = _register(settings, _cutoff(rules, year, today))
    judging = Judge(register, rules, settings.city, year=year, today=today, only=school)
    return _judged(judging, settings, register, rules, simulated=args.simulated)


def with_evidence(args: argparse.Namespace) -> tuple[Figure, Evidence]:
    """The figure by today's register and store, and all evidence that it is made of.

    Raises:
        RefusedError: invented rows without `--simulated`, an empty register, a year to come.
        SettingsError: the settings cannot be used.
        StoreError: the store cannot be read.
    """
    from collector.store.factory import open_store

    settings, rules, year, today = _asked(args)
    last = _cutoff(rules, year, today)
    register = _register(settings, last)
    with open_store(settings) as store:
        _refuse_invented(store, args.simulated)
        found = evidence.load(store, register, rules, last)
    return judge(register, found, rules, settings.city, year=year, today=today), found


def _asked(args: argparse.Namespace) -> tuple[config.Config, config.Figure, int, dt.date]:
    """The settings, the rules of the figure, its year, and today."""
    settings, warnings = config.load(args.config)
    for warning in warnings:
        warn(warning)
    today = dt.datetime.now(CITY_TIME).date()
    year = args.year or today.year
    return settings, _rules(settings.figure, args.cutoff, year), year, today


def warn(text: str) -> None:
    """Print a note to standard error: the output stays as asked."""
    print(shown(text, None), file=sys.stderr)


def _rules(rules: config.Figure, chosen: dt.date | None, year: int) -> config.Figure:
    if chosen is None:
        return rules
    if chosen.year != year:
        text = say(f"截止日 {chosen} 不在 {year} 年", f"the cut-off {chosen} is not in {year}")
        raise RefusedError(text)
    return msgspec.structs.replace(rules, cutoff=chosen)


def _cutoff(rules: config.Figure, year: int, today: dt.date) -> dt.date:
    try:
        return cutoff(rules, year, today)
    except ValueError as error:
        raise RefusedError(say(f"{year} 年还没有开始", f"{year} has not started yet")) from error


def _register(settings: config.Config, last: dt.date) -> Register:
    """The register as of the cut-off: the import that was in force when that day ended."""
    from collector.roster.book import RegisterBook

    book = RegisterBook(settings.folder / "register.db")
    end = start_of(last + ONE_DAY) - dt.timedelta(microseconds=1)
    register = book.load(end)
    later = sum(row.at > end for row in book.history()[1:])
    if later:
        warn(
            say(
                f"按截止日 {last} 生效的台账计算；此后还有 {later} 次导入，未采用",
                f"judged by the register in force on {last}; {later} later imports are left out",
            )
        )
    return register


def _judged(
    judging: Judge,
    settings: config.Config,
    register: Register,
    rules: config.Figure,
    *,
    simulated: bool,
) -> Figure:
    from collector.store.factory import open_store

    with open_store(settings) as store:
        _refuse_invented(store, simulated)
        invented = store.simulated()
    judge_all(Asked(judging, lambda: open_store(settings), register, rules))
    return judging.figure(simulated=invented)


def _refuse_invented(store: Store, simulated: bool) -> None:
    if simulated or not store.simulated():
        return
    head = say(
        "数据库中有模拟数据，不能得出真实的指标；演示请加 --simulated，所有输出将带水印",
        "the store contains simulated data, which gives no real figure; "
        "with --simulated every output is watermarked",
    )
    raise RefusedError("\n".join([head, *_invented(store.simulated_rows())]))


def _invented(rows: Sequence[SimulatedRows]) -> Iterator[str]:
    """Where the simulated rows are, and how each school's are removed."""
    days = [tuple(local_day(at / 1e9) for at in (row.first, row.last)) for row in rows]
    for row, (first, last) in list(zip(rows, days, strict=True))[:_NAMED]:
        yield f"  {row.school} {row.measurement}: {row.rows} ({first} – {last})"
    if len(rows) > _NAMED:
        yield f"  +{len(rows) - _NAMED}"
    schools = dict.fromkeys(row.school for row in rows if whose(row.measurement) == "school")
    yield say("若不该有，逐校移除：", "If they should not be there, remove them school by school:")
    for school in list(schools)[:_NAMED]:
        yield f"  schoolpulse evidence remove --school {school} --where simulated=yes --why …"


def store_failed(error: StoreError) -> str:
    """What is said where the store cannot be read, with the fix."""
    return say(
        f"读不到数据库：{error}；运行 schoolpulse doctor 查看",
        f"cannot read the store: {error}; see schoolpulse doctor",
    )

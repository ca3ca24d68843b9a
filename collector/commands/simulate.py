"""`schoolpulse simulate`: data of a simulated city, into the store or over MQTT."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, RefusedError, config_argument
from agent.common.language import counted, say
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.progress import Bar
from collector.compliance.window import cutoff as last_day
from collector.config import Config, Figure
from collector.roster.book import RegisterBook
from collector.simulate import live, writing
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store.base import Store, StoreError
from collector.store.factory import open_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes, destination, and the limits of a live fleet."""
    add = parser.add_argument
    config_argument(parser)
    add("--year", type=int, metavar="YYYY", help=say("年度，默认今年", "year (default: this year)"))
    add(
        "--schools",
        type=positive,
        metavar="N",
        default=60,
        help=say("学校数（默认 60）", "number of schools (default: 60)"),
    )
    add(
        "--seed",
        type=int,
        metavar="N",
        default=1,
        help=say("随机种子（默认 1）", "random seed (default: 1)"),
    )
    text = say(
        "截止日前多少天的证据（默认 365）",
        "days of evidence before the cut-off date (default: 365)",
    )
    add("--days", type=positive, metavar="N", default=365, help=text)
    text = say(
        "为最近多少天算指标，看板的走势要（默认 30；0 是不算）",
        "newest days to judge, for the boards' trend (default: 30; 0: none)",
    )
    add("--trend", type=int, metavar="N", default=30, help=text)
    text = say("每种情形至少出现一次", "make every situation occur at least once")
    add("--every-case", action="store_true", help=text)
    text = say("即使已有别的学校也写入", "write even if other schools are present")
    add("--force", action="store_true", help=text)
    _add_live(parser)


def _add_live(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = say(
        "不写证据，而是经 MQTT 真实上报", "send reports over MQTT instead of writing evidence"
    )
    add("--live", action="store_true", help=text)
    text = say("--live：多少台电脑（默认 50）", "--live: number of PCs (default: 50)")
    add("--agents", type=positive, metavar="N", default=50, help=text)
    text = say("--live：每隔多少秒上报（默认 30）", "--live: seconds between reports (default: 30)")
    add("--report-s", type=float, metavar="S", default=30.0, help=text)
    text = say("--live：多少秒后结束", "--live: stop after this many seconds")
    add("--seconds", type=float, metavar="S", help=text)
    text = say("--live：多少份报告后结束", "--live: stop after this many reports")
    add("--reports", type=positive, metavar="N", help=text)


def run(args: argparse.Namespace) -> int:
    """Simulate; 2 where real data would be touched."""
    config = load_config(args)
    if config.figure != Figure(cutoff=config.figure.cutoff):
        text = say(
            "提醒：真值只按默认规则成立，配置里的 [figure] 改了规则，指标会与真值不同",
            "note: the expected figures assume the default rules; [figure] changes them, so "
            "results will differ",
        )
        print(text, file=sys.stderr)
    city = _city(args, config)
    try:
        return _live(args, config, city) if args.live else _write(args, config, city)
    except StoreError as error:
        problem = say("写不进数据库", "cannot write to the store")
        print(f"{problem}: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        raise RefusedError(f"{config.folder}: {error}") from error


def positive(text: str) -> int:
    """A number above 0, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(say("要大于 0", "must be greater than 0"))
    return number


def _city(args: argparse.Namespace, config: Config) -> City:
    today = dt.datetime.now(CITY_TIME).date()
    year = args.year or today.year
    try:
        cutoff = last_day(config.figure, year, today)
    except ValueError as error:
        raise RefusedError(say(f"{year} 年还没有开始", f"{year} has not started yet")) from error
    size = Size(args.schools, args.seed, year, args.every_case)
    # Not today: its evidence comes from live reports, and its later hours are not over yet.
    return build(size, cutoff, today - dt.timedelta(days=1), args.days)


def _write(args: argparse.Namespace, config: Config, city: City) -> int:
    book = _book(config)
    with open_store(config) as store:
        if not args.force:
            writing.check_register(book)
            writing.check_store(store)
        writing.write_register(book, city)
        with Bar(say("写入证据", "writing evidence"), len(city.days)) as bar:
            count = writing.write_evidence(
                store, city, lambda day, _: bar.more(note=day.isoformat())
            )
        count += _judge(min(args.trend, args.days), config, city, store)
    path = writing.write_truth(config.folder, city, config.city)
    schools, pcs, days = len(city.schools), len(city.pcs), len(city.days)
    print(
        say(
            f"模拟数据：{schools} 所学校，{pcs} 台电脑，{days} 个开放日，{count} 个数据点\n"
            f"真值：{path}",
            f"simulated: {counted(schools, 'school')}, {counted(pcs, 'PC')}, "
            f"{counted(days, 'open day')}, {counted(count, 'point')}\n"
            f"expected figures: {path}",
        )
    )
    return DONE


def _judge(days: int, config: Config, city: City, store: Store) -> int:
    """The indicators of the newest days; how many points."""
    count = 0
    with Bar(say("计算指标", "judging"), days) as bar:
        for day in (city.cutoff - dt.timedelta(days=back) for back in range(days)):
            count += writing.write_indicators(store, city, config, day)
            bar.more(note=day.isoformat())
    return count


def _live(args: argparse.Namespace, config: Config, city: City) -> int:
    if args.seconds is None and args.reports is None:
        raise RefusedError(
            say("--live 要有 --seconds 或 --reports", "--live needs --seconds or --reports")
        )
    if not config.accept_simulated:
        raise RefusedError(
            say(
                "采集服务不收模拟上报：演示用的配置里写 accept_simulated = true，再重启采集服务",
                "the collector holds simulated reports: set accept_simulated = true in the "
                "settings of a demonstration, and restart the collector",
            )
        )
    book = _book(config)
    if not writing.holds(book, city):
        if not args.force:
            writing.check_register(book)
        writing.write_register(book, city)
    agents = live.agents(city, args.agents)
    bounds = live.Bounds(args.seconds, args.reports)
    shown = Bar(
        say(f"{len(agents)} 台电脑上报", f"{counted(len(agents), 'PC')} reporting"), args.reports
    )
    with tempfile.TemporaryDirectory(prefix="schoolpulse-fleet-") as folder, shown as bar:

        def show(made: int, waiting: int) -> None:
            note = say(f"已报 {made}，待确认 {waiting}", f"{made} sent, {waiting} unconfirmed")
            bar.done(made, note)

        done = live.run(config.mqtt, agents, Path(folder), args.report_s, bounds, show)
    print(
        say(
            f"模拟上报：{done.agents} 台电脑，{done.produced} 份报告，未确认 {done.waiting}",
            f"simulated: {counted(done.agents, 'PC')}, {counted(done.produced, 'report')}, "
            f"{done.waiting} unconfirmed",
        )
    )
    return FAILED if done.waiting else DONE


def _book(config: Config) -> RegisterBook:
    config.folder.mkdir(parents=True, exist_ok=True)
    return RegisterBook(config.folder / REGISTER_FILE)

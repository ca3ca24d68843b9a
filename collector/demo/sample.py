"""The sample city of `schoolpulse up --sample`: written once, then reported by invented PCs.

    python -m collector.demo.sample COLLECTOR_TOML

Everything in it is marked as simulated. It runs beside the pages, which show how far it is, and
ends by SIGTERM.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
import threading
from pathlib import Path

from agent.common import log
from agent.common.calendar import CITY_TIME
from agent.common.files import replace
from agent.common.settings import load
from collector.config import Config
from collector.demo import school
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.simulate import live, writing
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store.factory import open_store

_SCHOOLS = 28
_DAYS = 60
_AGENTS = 40
_REPORT_S = 20.0
#: Days of the trend that are computed first; those between them follow.
_EVERY = 7
#: What the pages show meanwhile, in both languages.
PROGRESS_FILE = "up.json"


def main(settings: Path) -> None:
    """Write what is missing, then report until SIGTERM."""
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    config, _ = load(Config, settings, {})
    today = dt.datetime.now(CITY_TIME).date()
    size = Size(_SCHOOLS, year=today.year)
    city = build(size, today, today - dt.timedelta(days=1), _DAYS)
    school.add_to(city)
    _write(config, city, today, stop)
    agents = live.agents(city, _AGENTS)
    bounds = live.Bounds(connecting=1)  # amqtt drops some of those that subscribe at one moment
    live.run(config.mqtt, agents, settings.parent / "fleet", _REPORT_S, bounds, stop=stop)


def _write(config: Config, city: City, today: dt.date, stop: threading.Event) -> None:
    """The register and the evidence, unless an earlier run has written them; then the figure."""
    book = RegisterBook(config.folder / "register.db")
    with open_store(config) as store:
        if not book.history():
            # Before the first school is there: nobody may take it for a city without a fault.
            _say(config, "正在准备示例城市", "preparing the sample city")
            writing.write_register(book, city)
        if not store.simulated() or (config.folder / PROGRESS_FILE).exists():
            days = len(city.days)
            done = iter(range(1, days + 1))

            def tell(_day: dt.date, _count: int) -> None:
                at = next(done)
                _say(config, f"正在写入示例城市：第 {at} 天，共 {days} 天",
                     f"writing the sample city: day {at} of {days}")  # fmt: skip

            _say(config, "正在准备示例城市", "preparing the sample city")
            writing.write_evidence(store, city, tell)
            register = book.load()
            keeper = Keeper(store, lambda: register, config.figure, config.city, config.report_s)
            _say(config, "正在计算示例城市的指标", "computing the sample city's figure")
            for back in sorted(range(_DAYS), key=lambda back: (back % _EVERY > 0, back)):
                if stop.is_set():
                    return
                keeper.judge(today - dt.timedelta(days=back))
    (config.folder / PROGRESS_FILE).unlink(missing_ok=True)


def _say(config: Config, zh: str, en: str) -> None:
    text = json.dumps({"zh": zh, "en": en}, ensure_ascii=False)
    replace(config.folder / PROGRESS_FILE, text.encode(), durable=False)


if __name__ == "__main__":
    log.configure("INFO")
    main(Path(sys.argv[1]))

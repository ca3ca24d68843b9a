"""`schoolpulse up`: what the demo starts, staying, with the pages; its data is kept.

    pages ─ broker ─ measurement server ─ collector ─ this machine's agent (─ the sample city)

The pages come first: they say what the others still lack.
"""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from agent.common.language import say
from agent.common.lock import Lock
from collector.demo import broker, school
from collector.demo.children import Children, DemoError
from collector.demo.interrupt import Interrupt
from collector.demo.place import Place, Ports, kept, write_settings
from collector.roster.book import RegisterBook

_START_S = 30.0
_REPORT_S = 30
#: Where a free port for each is looked for; the agent is told which.
_BROKER, _LINESERVER = 21883, 27095
#: Two that start at one moment look in different places.
_SPREAD = 4999
_PYTHON = (sys.executable, "-m")
WHO = "schoolpulse up"


class Asked(NamedTuple):
    """What is to run, and where."""

    folder: Path
    port: int
    sample: bool
    broker: broker.Kind | None = None
    school: tuple[str, str] | None = None  # code and name; None: as before, or an example


def up(asked: Asked, console: Console) -> None:
    """Run until interrupted; every process is stopped at the end, in any case.

    Raises:
        DemoError: something cannot be started, or ended by itself.
        KeyboardInterrupt: asked to end.
        OSError: the folder cannot be used, or another one runs on it.
    """
    begun = time.monotonic()
    kind = broker.choose(asked.broker)
    if broker.listens(asked.port):
        raise DemoError(_taken(asked.port))
    place = kept(asked.folder)
    lock = Lock(place.folder / "up.lock", "schoolpulse up")
    try:
        _check(place, sample=asked.sample)
        code = school.CODE if asked.sample else _school(place, asked.school)
        spread = os.getpid() % _SPREAD
        ports = Ports(broker.port_from(_BROKER + spread), broker.port_from(_LINESERVER + spread))
        protocol = broker.PROTOCOL[kind]
        write_settings(place, ports, protocol, _REPORT_S, invented=asked.sample, code=code)
        interrupt = Interrupt()
        with interrupt.installed(), Children(place.logs, interrupt) as children:
            _pages(children, place, asked)
            _say_where(console, place, asked, time.monotonic() - begun)
            _rest(children, place, ports, kind, asked)
            children.wait("", lambda: None, math.inf)
    finally:
        lock.release()


def _check(place: Place, *, sample: bool) -> None:
    """Invented rows never join real ones."""
    book = RegisterBook(place.data / "register.db")
    history = book.history()
    invented = any(row.who == "schoolpulse simulate" for row in history)
    if history and sample != invented:
        raise DemoError(_mixed(place, sample=sample))


def _school(place: Place, asked: tuple[str, str] | None) -> str:
    """The code of this machine's school, which gets a register of its own where there is none.

    A register that somebody has imported stays as it is, and must hold the school asked for.
    """
    book = RegisterBook(place.data / "register.db")
    history = book.history()
    own = [row.number for row in history if row.who == WHO]
    known = book.rows_of(own[-1]).schools[0] if own else None
    before = (known.code, known.name) if known else (school.CODE, school.NAME)
    code, name = asked or before
    if len(own) < len(history):
        if asked and code not in book.load().schools:
            raise DemoError(_unknown(place, code))
    elif not history or (code, name) != before:
        book.import_rows(school.alone(code, name), who=WHO, source=WHO)
    return code


def _pages(children: Children, place: Place, asked: Asked) -> None:
    address = f"{broker.HOST}:{asked.port}"
    web = ["web", "--config", str(place.collector_toml), "--address", address]
    children.start("web", [*_PYTHON, "collector.cli", *web])
    children.wait(say("页面", "the pages"), lambda: broker.listens(asked.port), _START_S)


def _rest(children: Children, place: Place, ports: Ports, kind: broker.Kind, asked: Asked) -> None:
    city, cli = ["--config", str(place.collector_toml)], [*_PYTHON, "collector.cli"]
    children.start("broker", broker.argv(kind, ports.broker, place.folder))
    served = ["--host", broker.HOST, "--port", str(ports.lineserver)]
    children.start("lineserver", [*cli, "lineserver", *city, *served])
    children.wait(kind, lambda: broker.listens(ports.broker), _START_S)
    children.start("collector", [*cli, "collect", *city])
    run = ["run", "--config", str(place.agent_toml)]
    children.start("agent", [*_PYTHON, "agent.cli", *run])
    if asked.sample:
        sample = [*_PYTHON, "collector.demo.sample", str(place.collector_toml)]
        children.start("sample", sample)


def _say_where(console: Console, place: Place, asked: Asked, seconds: float) -> None:
    lines = [
        say(f"页面：http://{broker.HOST}:{asked.port}（{seconds:.1f} 秒）",
            f"pages: http://{broker.HOST}:{asked.port} ({seconds:.1f} s)"),
        say(f"数据和日志：{place.folder}", f"data and logs: {place.folder}"),
        say(f"其他命令加上 --config {place.collector_toml}",
            f"other commands: add --config {place.collector_toml}"),
        say("Ctrl-C 停止；数据留着", "Ctrl-C stops it; the data is kept"),
    ]  # fmt: skip
    if asked.sample:
        lines.insert(1, say("示例城市是虚构的，每页都有水印",
                            "the sample city is invented: every page is watermarked"))  # fmt: skip
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _unknown(place: Place, code: str) -> str:
    return say(
        f"{place.folder} 的台账里没有学校 {code}：先导入有它的台账，或用 --data 换一个文件夹",
        f"the register in {place.folder} has no school {code}: import one that has it, or use "
        "another --data",
    )


def _taken(port: int) -> str:
    return say(
        f"端口 {port} 已被占用；用 --port 换一个", f"port {port} is in use: choose another --port"
    )


def _mixed(place: Place, *, sample: bool) -> str:
    if sample:
        return say(
            f"{place.folder} 里有真实台账，示例城市不能混进去；用 --data 换一个文件夹",
            f"{place.folder} holds a real register, which a sample city must not join; use "
            "another --data",
        )
    return say(
        f"{place.folder} 里是示例城市；加 --sample，或用 --data 换一个文件夹",
        f"{place.folder} holds a sample city: add --sample, or use another --data",
    )

"""The steps of the demo."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from agent.common.calendar import CITY_TIME
from agent.common.language import counted, say
from agent.common.settings import load
from collector import report
from collector.compliance import evidence
from collector.compliance.figure import judge
from collector.compliance.model import Figure
from collector.config import Config
from collector.demo import broker, machine, school
from collector.demo.children import Children, DemoError
from collector.demo.interrupt import Interrupt
from collector.demo.place import Place, Ports, fresh, write_settings
from collector.demo.steps import Steps
from collector.keeper import Keeper
from collector.report import terminal
from collector.roster.book import RegisterBook
from collector.roster.register import School
from collector.simulate import live, writing
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store import Store
from collector.store.factory import open_store

_START_S = 30.0
_REPORT_S = 60.0
_TEST_S = 90.0
_FLEET_S = 60.0
#: Between two reports of a simulated PC.
_CROWD_S = 1.0
_PYTHON = (sys.executable, "-m")


class Sizes(NamedTuple):
    """How much is simulated in addition to this machine."""

    schools: int = 28
    seed: int = 1
    days: int = 60
    agents: int = 40


def demo(out: Path, wanted: broker.Kind | None, sizes: Sizes, console: Console) -> None:
    """Run all steps once; every process is stopped at the end, in any case.

    Raises:
        DemoError: a step failed; the message has the last lines of the logs.
        KeyboardInterrupt: the demo was interrupted.
    """
    steps = Steps(console)
    kind = broker.choose(wanted)
    place = fresh(out)
    ports = Ports(broker.free_port(), broker.free_port())
    write_settings(place, ports, broker.PROTOCOL[kind])
    config, _ = load(Config, place.collector_toml, {})
    interrupt = Interrupt()
    with interrupt.installed(), Children(place.logs, interrupt) as children:
        _services(steps, children, place, ports, kind)
        city = _city(steps, config, sizes)
        with open_store(config) as store:
            _machine(steps, children, place, store)
            _fleet(steps, place, config, city, sizes)
            _stop(steps, children)
            figure, seen = _judge(steps, config, store)
        _show(steps, place, figure, seen, city)


def _services(
    steps: Steps, children: Children, place: Place, ports: Ports, kind: broker.Kind
) -> None:
    with steps.step(say("消息服务", "broker")) as details:
        details += [kind, f"{broker.HOST}:{ports.broker}"]
        children.start("broker", broker.argv(kind, ports.broker, place.folder))
        arguments = ["--config", str(place.collector_toml), "--host", broker.HOST]
        arguments += ["--port", str(ports.lineserver)]
        children.start("lineserver", [*_PYTHON, "collector.cli", "lineserver", *arguments])
        children.wait(kind, lambda: broker.listens(ports.broker), _START_S)
    with steps.step(say("测速服务器", "measurement server")) as details:
        details.append(f"{broker.HOST}:{ports.lineserver}")
        children.wait("lineserver", lambda: broker.listens(ports.lineserver), _START_S)


def _city(steps: Steps, config: Config, sizes: Sizes) -> City:
    today = _today()
    with steps.step(say("模拟的城市", "simulated city")) as details:
        size = Size(sizes.schools, sizes.seed, today.year)
        city = build(size, today, today - dt.timedelta(days=1), sizes.days)
        school.add_to(city)
        writing.write_register(RegisterBook(config.folder / "register.db"), city)
        with open_store(config) as store:
            count = writing.write_evidence(store, city)
        writing.write_truth(config.folder, city, config.city)
        schools = len(_simulated(city))
        details.append(say(f"{schools} 所学校", counted(schools, "school")))
        details.append(say(f"{len(city.pcs)} 台电脑", counted(len(city.pcs), "PC")))
        details.append(say(f"{len(city.days)} 个开放日", f"{len(city.days)} open days"))
        details.append(say(f"{count} 个数据点", f"{count} points"))
    return city


def _machine(steps: Steps, children: Children, place: Place, store: Store) -> None:
    text = say(
        "采集服务，本机的代理，第一份报告入库",
        "collector and agent on this machine, first report stored",
    )
    with steps.step(text):
        collect = ["collect", "--config", str(place.collector_toml)]
        children.start("collector", [*_PYTHON, "collector.cli", *collect])
        run = ["run", "--config", str(place.agent_toml)]
        children.start("agent", [*_PYTHON, "agent.cli", *run])
        what = say("本机的报告", "a report from this machine")
        children.wait(what, lambda: machine.reported(store), _REPORT_S)
    with steps.step(say("一次真实的线路测试（回环）", "one real line test (loopback)")) as details:
        what = say("线路测试", "the line test")
        test = children.wait(what, lambda: machine.tested(store), _TEST_S)
        details.append(machine.outcome(test))
        if isinstance(test.get("down_mbps"), float):
            details.append(f"↓ {test['down_mbps']:.0f} Mbit/s")


def _fleet(steps: Steps, place: Place, config: Config, city: City, sizes: Sizes) -> None:
    with steps.step(say("模拟的电脑经 MQTT 上报", "simulated PCs report over MQTT")) as details:
        agents = live.agents(city, min(sizes.agents, 2 * sizes.schools))
        # amqtt drops some of those that subscribe at the same moment; they would come back late.
        bounds = live.Bounds(_FLEET_S, 2 * len(agents), connecting=1)
        done = live.run(config.mqtt, agents, place.folder / "fleet", _CROWD_S, bounds)
        details.append(say(f"{done.agents} 台", counted(done.agents, "PC")))
        details.append(say(f"{done.produced} 份报告", counted(done.produced, "report")))
        if done.waiting:
            text = say("份报告没有收到回执", "reports got no receipt")
            raise DemoError(f"{done.waiting} {text}: {place.logs / 'collector.log'}")


def _stop(steps: Steps, children: Children) -> None:
    with steps.step(say("停止所有进程", "stop all processes")):
        children.stop_all()


def _judge(steps: Steps, config: Config, store: Store) -> tuple[Figure, machine.Seen]:
    today = _today()
    with steps.step(say("推导当天，计算指标", "compute the day and the figure")):
        register = RegisterBook(config.folder / "register.db").load()
        keeper = Keeper(store, lambda: register, config.figure, config.city, config.report_s)
        keeper.derive([today])
        keeper.judge(today)
        found = evidence.load(store, register, config.figure, today)
        figure = judge(register, found, config.figure, config.city, year=today.year, today=today)
        return figure, machine.read(store)


def _show(steps: Steps, place: Place, figure: Figure, seen: machine.Seen, city: City) -> None:
    with steps.step(say("报告", "report")) as details:
        files = report.write(figure, place.folder / "report", ("html", "json"))
        details += [path.name for path in files]
    console = steps.console
    console.print()
    terminal.show(figure, sys.stdout)
    console.print()
    machine.show(console, seen)
    _conclude(console, place, files, city, steps.seconds)


def _conclude(
    console: Console, place: Place, files: list[Path], city: City, seconds: float
) -> None:
    settings = f"--config {place.collector_toml} --simulated"
    simulated = len(_simulated(city))
    lines = [
        say(
            f"真实：只有 {school.NAME}（{school.CODE}）的遥测；"
            f"模拟：其余 {simulated} 所学校的全部数据，以及由此得出的指标。",
            f"Real: only the telemetry of {school.NAME} ({school.CODE}). Simulated: all data of "
            f"the other {simulated} schools, and the figure computed from it.",
        ),
        *(say(f"报告：{path}", f"report: {path}") for path in files),
        say("本机学校逐条解释：", "explain this machine's school: ")
        + f"{_program()} figure {settings} --explain {school.CODE}",
        say(f"用时 {seconds:.0f} 秒", f"took {seconds:.0f} s"),
        say("接着看网页：", "go on with the pages: ") + f"{_program()} up --sample",
    ]
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _simulated(city: City) -> list[School]:
    return [each for each in city.schools if each.code != school.CODE]


def _program() -> str:
    """The command that started this program: in a fresh clone it is not on the PATH."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "schoolpulse" else f"{sys.executable} -m collector.cli"


def _today() -> dt.date:
    return dt.datetime.now(CITY_TIME).date()

"""What a city still lacks before its figure can be shown: a list with the command for each."""

from __future__ import annotations

from typing import NamedTuple

from agent.common.language import say
from collector.web.city import City
from collector.web.site import Site


class Step(NamedTuple):
    """One thing to have, whether it is there, and the command that brings it."""

    done: bool
    text: str
    command: str = ""


def missing(site: Site, city: City) -> list[Step]:
    """The steps, in the order in which they follow; none once there is a figure of real schools."""
    register = city.register
    real = [code for code in register.schools if not code.startswith("99")]
    heard = any(row.last_day or row.pcs for row in city.schools)
    where = f" --config {site.config_file}" if site.config_file else ""
    fill = f"schoolpulse roster template --out sheets && schoolpulse roster import sheets{where}"
    steps = [
        Step(bool(real), say("导入本市学校台账", "import the city's register of schools"),
             fill),
        Step(bool(site.config.lines.server),
             say("运行测速服务，各校线路才有测试",
                 "run the measurement server, so that lines are tested"),
             f"schoolpulse lineserver{where}"),
        Step(heard, say("有电脑上报", "PCs report"), "schoolpulse-agent install"),
        Step(city.day is not None,
             say("算出第一天的指标（第一份报告后几分钟）",
                 "the first day's figure (minutes after the first report)")),
    ]  # fmt: skip
    return [] if all(step.done for step in steps) or (city.simulated and city.day) else steps

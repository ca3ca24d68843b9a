"""`schoolpulse-agent doctor`: everything checked, each fault with its mend."""

from __future__ import annotations

import argparse
import json
from collections.abc import Generator, Iterator

from agent import config as settings
from agent.common import log
from agent.common.command_line import DONE, FAILED
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.config import Config
from agent.doctor import checks
from agent.doctor.broker import BrokerChecks
from agent.doctor.checks import Check

_MARKS = {True: "✓", False: "✗", None: "–"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are, and the form."""
    parser.add_argument("--config", metavar="FILE", help=say("配置文件", "the config file"))
    parser.add_argument("--json", action="store_true", help=say("输出 JSON", "print JSON"))


def run(args: argparse.Namespace) -> int:
    """Check all; 1 when anything must be mended."""
    log.configure("CRITICAL")  # the checks say themselves what the log would say
    found = []
    for check in _checks(args.config):
        found.append(check)
        if not args.json:
            print(_line(check), flush=True)
    ok = all(check.ok is not False for check in found)
    if args.json:
        body = {"ok": ok, "checks": [check._asdict() for check in found]}
        print(json.dumps(body, ensure_ascii=False, indent=2))
    return DONE if ok else FAILED


def _line(check: Check) -> str:
    mend = f"\n    → {check.mend}" if check.mend else ""
    return f"{_MARKS[check.ok]} {check.name}: {check.detail}{mend}"


def _checks(path: str | None) -> Iterator[Check]:
    config = yield from _config(path)
    if config is None:
        return
    yield checks.folder(config)
    yield checks.clock(config)
    yield checks.machine()
    broker = BrokerChecks(config)
    if config.school:
        yield from broker.checks()
    yield checks.line_server(config, broker.policy)
    yield checks.line_key(config)
    yield from checks.each_probe(config)


def _config(path: str | None) -> Generator[Check, None, Config | None]:
    """The settings, then the school; what can be read is checked though the school be wrong."""
    name = say("配置", "config")
    try:
        config, warnings = settings.load(path, need_school=False)
    except SettingsError as error:
        yield Check(name, False, str(error), say("改配置文件", "mend the config file"))
        return None
    file = path or (settings.DEFAULT_FILE if settings.DEFAULT_FILE.exists() else "")
    yield Check(name, not warnings, "; ".join(warnings) or str(file or say("默认值", "defaults")))
    yield _school(config, str(file or "SCHOOLPULSE_SCHOOL"))
    return config


def _school(config: Config, where: str) -> Check:
    name = say("学校标识码", "school code")
    try:
        settings.check_school(config.school, where)
    except SettingsError as error:
        return Check(name, False, str(error), say("填 10 位数字，加引号", "10 digits, in quotes"))
    return Check(name, True, config.school)

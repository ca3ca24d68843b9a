"""`schoolpulse-agent doctor`: run all checks; each fault comes with its fix."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator, Sequence

from agent import config as settings
from agent import renewed, service
from agent.common import log
from agent.common.checks import Check, show
from agent.common.command_line import config_argument, json_argument
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.config import Config
from agent.doctor import account, checks, secrets
from agent.doctor.broker import BrokerChecks
from agent.mqtt.accounts import Account


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are, and the form."""
    config_argument(parser)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Check all; 1 when anything must be fixed."""
    log.configure("CRITICAL")  # the checks say themselves what the log would say
    return show(_checks(args.config), as_json=args.json)


def _checks(path: str | None) -> Iterator[Check]:
    config = yield from _config(path)
    if config is None:
        return
    yield checks.folder(config)
    yield checks.clock(config)
    yield secrets.rights(config)
    with account.copies(config.folder, service.handed() if not path else {}) as copies:
        if copies:  # what the service reads: no setting of ours
            config, _ = settings.load(None, need_school=False)
        # Before, for they lie in the data folder, which that account reaches inside its unit alone.
        accounts = renewed.candidates(config)
        yield account.take(config.folder, _file(path))
        yield from _as_service(config, accounts)


def _as_service(config: Config, accounts: Sequence[Account]) -> Iterator[Check]:
    """With the rights of the service's account, where we may take them; no data folder then."""
    yield checks.machine()
    broker = BrokerChecks(config, accounts)
    if config.school:
        yield from broker.checks()
    yield checks.line_server(config, broker.policy, asked=broker.logged_in or not config.school)
    yield from secrets.checks(config)
    yield from checks.each_probe(config)


def _config(path: str | None) -> Generator[Check, None, Config | None]:
    """The settings, then the school; with a wrong school the other checks still run."""
    name = say("配置", "config")
    try:
        config, warnings = settings.load(path, need_school=False)
    except SettingsError as error:
        yield Check(name, False, str(error), say("改配置文件", "fix the config file"))
        return None
    file = _file(path)
    yield Check(name, not warnings, "; ".join(warnings) or file or say("默认值", "defaults"))
    yield _school(config, file or "SCHOOLPULSE_SCHOOL")
    return config


def _file(path: str | None) -> str:
    """The file of the settings; empty where there is none."""
    return path or str(settings.present() or "")


def _school(config: Config, where: str) -> Check:
    name = say("学校标识码", "school code")
    try:
        settings.check_school(config.school, where)
    except SettingsError as error:
        return Check(
            name,
            False,
            str(error),
            say("填 10 位数字，加引号", "set it to the 10-digit code, in quotes"),
        )
    return Check(name, True, config.school)

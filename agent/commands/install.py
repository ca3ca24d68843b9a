"""`schoolpulse-agent install`: a service that starts with the PC, without a login."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from agent import config as settings
from agent import service
from agent.wire.command_line import DONE, RefusedError
from agent.wire.lang import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings come from."""
    text = say("配置文件，复制到默认位置", "the config file; it is copied to its default place")
    parser.add_argument("--config", metavar="FILE", help=text)


def run(args: argparse.Namespace) -> int:
    """Check the settings, put them in their place, and install."""
    config, warnings = settings.load(args.config)  # a service that cannot start helps nobody
    for warning in warnings:
        print(warning, file=sys.stderr)
    try:
        if args.config and Path(args.config).resolve() != settings.DEFAULT_FILE.resolve():
            settings.DEFAULT_FILE.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(args.config, settings.DEFAULT_FILE)
        name = service.install()
    except (OSError, service.Refused) as error:
        raise RefusedError(_cannot(error)) from error
    print(
        say(
            f"已安装并启动服务 {name}，学校 {config.school}；用 status 和 doctor 查看",
            f"service {name} is installed and started, school {config.school}; see status, doctor",
        )
    )
    return DONE


def _cannot(error: Exception) -> str:
    return say(
        f"装不上服务：{error}；请用管理员身份运行",
        f"cannot install the service: {error}; run as administrator or root",
    )

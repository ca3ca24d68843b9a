"""`schoolpulse-agent install`: a service that starts with the PC, without a login."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from agent import config as settings
from agent import service
from agent.common.command_line import DONE, RefusedError
from agent.common.language import say
from agent.common.settings import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings come from, and which file also gets the result."""
    text = say("配置文件，复制到默认位置", "settings file; it is copied to the default location")
    parser.add_argument("--config", metavar="FILE", help=text)
    text = say("把结果也写进这个文件（UTF-8）", "also write the result to this file (UTF-8)")
    parser.add_argument("--log", metavar="FILE", type=Path, help=text)


def run(args: argparse.Namespace) -> int:
    """Check the settings, put them in their place, and install."""
    try:
        result = _install(args.config)
    except (RefusedError, SettingsError) as error:
        _log(args.log, str(error))
        raise
    _log(args.log, result)
    print(result)
    return DONE


def _install(path: str | None) -> str:
    config, warnings = settings.load(path)  # refuse settings with which the service could not start
    for warning in warnings:
        print(warning, file=sys.stderr)
    try:
        if path and Path(path).resolve() != settings.DEFAULT_FILE.resolve():
            settings.DEFAULT_FILE.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, settings.DEFAULT_FILE)
        name = service.install()
    except service.Late as error:
        return say(
            f"注意：服务还没有运行：{error}", f"note: the service is not running yet: {error}"
        )
    except (OSError, service.Refused) as error:
        raise RefusedError(cannot(say("装不上", "cannot install"), error)) from error
    return say(
        f"已安装并启动服务 {name}，学校 {config.school}；用 status 和 doctor 查看",
        f"service {name} installed and started, school {config.school}; "
        "check with status and doctor",
    )


def cannot(what: str, error: Exception) -> str:
    """What failed, why, and the fix where rights are missing."""
    text = say(f"{what}：{error}", f"{what}: {error}")
    if not isinstance(error, PermissionError):
        return text
    return text + say("；请用管理员（root）身份运行", "; run as administrator (root)")


def _log(file: Path | None, text: str) -> None:
    """For an installer, which has no terminal; an unwritable file does not stop the install."""
    if file is None:
        return
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        print(f"{file}: {error.strerror}", file=sys.stderr)

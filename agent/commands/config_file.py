"""What several commands share: the settings, and the words for what the system refused."""

from __future__ import annotations

import argparse
import sys

from agent import config
from agent.common.language import say
from agent.config import Config


def load_config(args: argparse.Namespace) -> Config:
    """The settings of `--config`, or of the default file; warnings go to standard error.

    Raises:
        SettingsError: see `agent.config.load`; a missing school is no error here.
    """
    found, warnings = config.load(args.config, need_school=False)
    for warning in warnings:
        print(warning, file=sys.stderr)
    return found


def cannot(what: str, error: Exception) -> str:
    """What failed, why, and the fix where rights are missing."""
    text = say(f"{what}：{error}", f"{what}: {error}")
    if not isinstance(error, PermissionError):
        return text
    return text + say("；请用管理员（root）身份运行", "; run as administrator (root)")

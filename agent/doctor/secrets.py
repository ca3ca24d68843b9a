"""Whether the agent's secrets are there, are secrets, and are for it alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agent.common import secret_files, secret_reading
from agent.common.checks import Check
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.config import Config
from agent.service.windows import NAME

#: How each is read and checked, by its setting.
_READ: Mapping[str, Callable[[Config], object]] = {
    "broker.password_file": lambda config: config.broker.secret(),
    "line.key_file": lambda config: config.line.key(),
    "identity.source_key_file": lambda config: config.identity.source_key(),
}


def checks(config: Config) -> Iterator[Check]:
    """One for each secret."""
    named = dict(secret_reading.named(config))
    for secret in secret_files.AGENT:
        yield _check(secret, named.get(secret.setting, ""), config)


def _check(secret: secret_files.SecretFile, path: str, config: Config) -> Check:
    if not path:
        unset = say(f"没有设 {secret.setting}", f"{secret.setting} is not set")
        return Check(secret.name, None, unset)
    try:
        _READ[secret.setting](config)
    except SettingsError as error:
        fix = say(
            "用这所学校的配置包再安装一次：schoolpulse-agent install BUNDLE",
            "install this school's bundle again: schoolpulse-agent install BUNDLE",
        )
        return Check(secret.name, False, str(error), fix)
    return Check(secret.name, True, path)


def rights(config: Config) -> Check:
    """Whether others may read a secret; asked before root gives up its own rights."""
    name = say("密钥的权限", "rights of secrets")
    named = [path for at, path in secret_reading.named(config) if at.endswith("_file")]
    paths = [path for path in named if os.path.exists(path)]
    if not paths:
        return Check(name, None, say("没有密钥文件", "no secret in a file"))
    found = list(_open_to(paths))
    fix = say(
        "再安装一次：schoolpulse-agent install（不用再给配置包）",
        "install again: schoolpulse-agent install (it needs no bundle)",
    )
    if found:
        return Check(name, False, "; ".join(found), fix)
    return Check(name, True, say("别人读不到", "nobody else can read them"))


def _open_to(paths: list[str]) -> Iterator[str]:
    for path in paths:
        if sys.platform == "win32":
            yield from _others(Path(path))
        else:
            yield from secret_reading.exposed(Path(path).name, path)


def _others(path: Path) -> Iterator[str]:
    from agent.windows import rights, sddl

    try:
        who = sddl.others(rights.read(path), sddl.READ, sddl.service_sid(NAME))
    except OSError as error:
        yield f"{path}: {error.strerror}"
        return
    if who:
        names = ", ".join(who)
        yield say(f"{path} 也能被 {names} 读到", f"{path} can also be read by {names}")

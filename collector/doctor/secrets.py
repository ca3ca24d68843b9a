"""Whether the secrets that the settings name can be read, and by nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from agent.common import secret_reading
from agent.common.checks import Check
from agent.common.command_line import RefusedError
from agent.common.language import say
from agent.common.settings import SettingsError
from collector import secret_files
from collector.config import Config
from collector.web import passwords


def checks(config: Config) -> Iterator[Check]:
    """One for each secret of the services that the settings name by a file."""
    read: dict[str, Callable[[], object]] = {
        "mqtt.password_file": config.mqtt.secret,
        "store.token_file": config.store.secret,
        "web.password_file": lambda: passwords.read(Path(config.web.password_file)),
    }
    names = {row.setting: row.name for row in reversed(secret_files.CITY)}
    for setting, path in secret_reading.named(config):
        if setting not in read:
            continue
        try:
            read[setting]()
        except (SettingsError, RefusedError) as error:
            fix = say(
                "改正文件或权限；服务自己用的是 systemd 给的副本，只能由 root 查",
                "correct the file or its rights; services use systemd's copies, which only root"
                " can check",
            )
            yield Check(names[setting], False, str(error), fix)
            continue
        exposed = list(secret_reading.exposed(setting, path))
        fix = say(f"chmod 0400 {path}", f"chmod 0400 {path}") if exposed else ""
        yield Check(names[setting], not exposed, "; ".join(exposed) or path, fix)

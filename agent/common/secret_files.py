"""The secrets of a school PC, and where each lies; the city has `collector.secret_files`. Pure.

From these rows come the systemd units, the lists of the installers, the checks of `doctor`, the
table of docs/deploy and the tests: a secret that is added here is added everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agent.common.language import say

#: What systemd tells a service: the folder of the copies that only this service can read.
CREDENTIALS = "CREDENTIALS_DIRECTORY"
SETTINGS = "agent.toml"
CA = "ca.pem"


class SecretFile(NamedTuple):
    """One secret, and the file that holds it."""

    setting: str  # that names the file
    file: str  # its name, in a bundle and in the folder of the settings
    zh: str
    en: str
    units: tuple[str, ...] = ("agent",)  # services that may read it; nobody else but root
    #: The name of systemd's copy, where it is not that of the file.
    renamed: str = ""

    @property
    def credential(self) -> str:
        """The name of the copy that systemd makes for the service."""
        return self.renamed or self.file

    @property
    def variable(self) -> str:
        """The environment variable that names the file too."""
        return "SCHOOLPULSE_" + self.setting.replace(".", "_").upper()

    @property
    def name(self) -> str:
        """What users read."""
        return say(self.zh, self.en)


AGENT = (
    SecretFile("broker.password_file", "broker.password", "消息服务密码", "broker password"),
    SecretFile("line.key_file", "line.key", "测速密钥", "measurement key"),
    SecretFile("identity.source_key_file", "source.key", "摘要密钥", "key of the digests"),
)
#: Made by hand where the school's proxy asks for a login: in no bundle, and none lacks it.
LOCAL = (SecretFile("broker.proxy_password_file", "proxy.password", "代理密码", "proxy password"),)
#: What systemd hands to the agent besides its secrets: nobody but root reads /etc/schoolpulse.
PLAIN = (SETTINGS, CA)


def agent_files() -> tuple[str, ...]:
    """The files that the agent's service reads, in the folder of its settings."""
    return (*PLAIN, *(secret.file for secret in AGENT))


def credentials(environ: Mapping[str, str]) -> str:
    """The folder of systemd's copies; empty outside a service that has any."""
    return environ.get(CREDENTIALS, "")

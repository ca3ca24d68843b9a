"""The secrets of the city's services, and who reads them; see `agent.common.secret_files`. Pure."""

from __future__ import annotations

from agent.common.secret_files import SecretFile

COLLECTOR, KEEPER, LINESERVER, ENROL = "collector", "keeper", "lineserver", "enrol"
WEB = "web"

CITY = (
    SecretFile(
        "mqtt.password_file",
        "mqtt.password",
        "采集账号的消息服务密码",
        "the collector's broker password",
        units=(COLLECTOR,),
    ),
    SecretFile(
        "mqtt.password_file",
        "lineserver.password",
        "测速服务账号的消息服务密码",
        "the measurement server's broker password",
        units=(LINESERVER,),
    ),
    SecretFile(
        "mqtt.password_file",
        "admin.password",
        "管理消息服务账号的密码",
        "password of the account that administers the broker",
        units=(ENROL,),
    ),
    SecretFile(
        "store.token_file",
        "store.token",
        "数据库令牌",
        "database token",
        units=(COLLECTOR, KEEPER, ENROL, WEB),
    ),
    SecretFile(
        "web.password_file",
        "web.password",
        "页面用户的密码摘要",
        "digests of the pages' passwords",
        units=(),  # it lies in the data folder, whose owner reads it
    ),
)


def of(unit: str) -> tuple[SecretFile, ...]:
    """The secrets that a service may read."""
    return tuple(secret for secret in CITY if unit in secret.units)

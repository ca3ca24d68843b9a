"""`schoolpulse-agent status`: the state of the running agent."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import msgspec

from agent.commands.config_file import load_config
from agent.common import tables
from agent.common.command_line import (
    DONE,
    FAILED,
    RefusedError,
    config_argument,
    json_argument,
)
from agent.common.language import say
from agent.common.lock import is_held
from agent.common.output import print_json
from agent.config import Config
from agent.resident import status
from agent.resident.status import Status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are, and the form."""
    config_argument(parser)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the last status; 1 when no agent runs now."""
    config = load_config(args)
    found = _read(config)
    running = is_running(config)
    if args.json:
        whole = {"running": running, **msgspec.to_builtins(found)}
        print_json(msgspec.json.encode(whole).decode())
    else:
        print("\n".join(tables.lines(_rows(found, running))))
    return DONE if running else FAILED


def is_running(config: Config) -> bool:
    """Whether an agent holds the data folder now."""
    return is_held(config.folder / "agent.lock")


def _read(config: Config) -> Status:
    try:
        found = status.read(config.folder)
    except OSError as error:
        raise RefusedError(
            say(
                f"读不了 {config.folder}：{error.strerror}",
                f"cannot read {config.folder}: {error.strerror}",
            )
        ) from error
    if found is None:
        raise RefusedError(
            say(
                f"{config.folder}：代理还没有运行过；用 run 启动，或用 --config 指明配置",
                f"{config.folder}: the agent has not run here; start it with run, or use --config",
            )
        )
    return found


def _rows(found: Status, running: bool) -> Iterator[tuple[str, str]]:
    yes, no = say("是", "yes"), say("否（以下为最后一次的状态）", "no (last known state below)")
    yield say("正在运行", "running"), yes if running else no
    yield say("学校", "school"), found.school
    weak = say("（弱）", " (weak)") if found.weak_id else ""
    yield say("机器号", "machine id"), found.machine + weak
    yield say("连接", "broker"), f"{_state(found.link)} (MQTT {found.mqtt})"
    if found.error:
        yield say("最近的错误", "last error"), found.error
    yield say("最近回执", "last receipt"), tables.zoned(found.last_receipt)
    offset = found.offset_ms
    yield say("时钟偏差", "clock offset"), "—" if offset is None else f"{offset / 1000:+.3f} s"
    yield say("教室", "room"), found.room or "—"
    yield say("线路", "line"), found.line or "—"
    yield say("上报间隔", "report interval"), f"{found.report_s} s"
    yield say("下次测速", "next line test"), tables.zoned(found.next_test)
    yield say("状态写于", "state written"), tables.zoned(found.written)


def _state(name: str) -> str:
    words = {
        "idle": say("未连接，等待重试", "not connected, will retry"),
        "connecting": say("正在连接", "connecting"),
        "subscribing": say("正在订阅", "subscribing"),
        "ready": say("已连接", "connected"),
        "leaving": say("正在断开", "disconnecting"),
        "stopped": say("已停止", "stopped"),
    }
    return words.get(name, name)

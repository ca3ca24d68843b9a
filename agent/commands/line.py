"""`schoolpulse-agent line`: one test of the line, with a progress display and a verdict."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from agent import identity, renewed
from agent.commands.config_file import load_config
from agent.common import output, tables
from agent.common.command_line import (
    DONE,
    FAILED,
    RefusedError,
    config_argument,
    json_argument,
)
from agent.common.language import say
from agent.common.output import print_json
from agent.common.settings_error import SettingsError
from agent.common.vocabulary import reasons, thresholds
from agent.common.vocabulary.words import word
from agent.config import Config
from agent.probes.line import public as line_public
from agent.probes.line.probe import measure
from agent.resident import status
from agent.resident.status import Status
from agent.wire.messages import LineTest
from agent.wire.postponed import Postponed

_WIDTH = 24
#: A school code for a test that no settings name; the server keeps lines apart by it.
_NO_SCHOOL = "9900000000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The server, the settings, and the form."""
    server = say("测速服务器 http://主机:端口", "measurement server, http://host:port")
    parser.add_argument("--server", metavar="URL", help=server)
    config_argument(parser)
    public = say(
        "改测互联网（speedtest.net），不作证据",
        "test against speedtest.net instead; not counted as evidence",
    )
    parser.add_argument("--public", action="store_true", help=public)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Test once; 0 for a slow line too, 1 where there is no figure."""
    if args.public:
        return _public(args)
    config = load_config(args)
    followed = _followed(config)
    server = args.server or config.line.server or (followed.server if followed else "")
    if not server:
        raise RefusedError(
            say(
                "不知道测速服务器：运行中的代理连上以后从学校策略得到它；"
                "学校有几条线路时，先用 install --room 说明教室；"
                "也可用 --server http://主机:端口，或在配置里设 line.server",
                "no measurement server: the running agent has it from the school's policy once it "
                "has connected, and at a school with several lines once its room is known (install "
                "--room); or use --server http://host:port, or set line.server",
            )
        )
    threshold = followed.threshold_mbps if followed else thresholds.THRESHOLD_MBPS
    show = _Show(sys.stderr.isatty())
    test = measure(
        server,
        school=config.school or _NO_SCHOOL,
        machine=identity.identify().machine,
        line=config.line.name or (followed.line if followed else ""),
        key=renewed.newest(config).line_key or config.line.key(),
        progress=show,
    )
    show.clear()
    if isinstance(test, Postponed):
        _print(_json_later(test, threshold) if args.json else _later(test), as_json=args.json)
        return FAILED
    text = _json(test, threshold) if args.json else "\n".join(tables.lines(_rows(test, threshold)))
    _print(text, as_json=args.json)
    return DONE if test.outcome == "ok" else FAILED


def _print(text: str, *, as_json: bool) -> None:
    (print_json if as_json else print)(text)


def _public(args: argparse.Namespace) -> int:
    """speedtest.net's figure, marked as not the line's."""
    found = line_public.run()
    if args.json:
        print_json(msgspec.json.encode({**found, "evidence": False}).decode())
    else:
        print("\n".join(tables.lines(_public_rows(found))))
    return FAILED if "error" in found else DONE


def _public_rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "error" in found:
        yield say("结果", "result"), f"{say('没有测成', 'no result')} ({found['error']})"
        return
    yield say("下行", "down"), f"{found['down_mbps']:.2f} Mbit/s"
    yield say("上行", "up"), f"{found['up_mbps']:.2f} Mbit/s"
    yield say("时延", "latency"), _ms(found["latency_ms"])
    yield say("服务器", "server"), found["server"]
    yield say("用量", "used"), tables.size(found["bytes"])
    text = say("互联网上应用得到的速率，不作证据", "what an application gets; no evidence")
    yield say("口径", "meaning"), text


class _Show:
    """A bar on a terminal, and nothing in a log."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal

    def __call__(self, *, phase: str, share: float, mbps: float | None) -> None:
        """Draw the bar anew."""
        if not self._terminal:
            return
        done = round(share * _WIDTH)
        rate = "" if mbps is None else f"{mbps:8.2f} Mbit/s"
        bar = "█" * done + "░" * (_WIDTH - done)
        output.own(sys.stderr).write(f"\r{_phase(phase)} {bar} {rate}\033[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave no trace of the bar."""
        if self._terminal:
            output.own(sys.stderr).write("\r\033[K")
            sys.stderr.flush()


def _phase(name: str) -> str:
    words = {
        "ask": say("申请", "asking"),
        "download": say("下行", "down  "),
        "drain": say("下行", "down  "),
        "upload": say("上行", "up    "),
    }
    return words.get(name, name)


def verdict(test: LineTest, threshold_mbps: float) -> bool | None:
    """Whether this test reaches the threshold; None where it has no figure."""
    return None if test.down_mbps is None else test.down_mbps >= thresholds.limit(threshold_mbps)


def _followed(config: Config) -> Status | None:
    """What the agent of these settings last did by policy: server, line, what the city asks."""
    try:
        found = status.read(config.folder)
    except (OSError, SettingsError):  # another user's
        return None
    return found if found and config.school in ("", found.school) else None


def _json_later(said: Postponed, threshold_mbps: float) -> str:
    whole = {"outcome": said.answer, "retry_s": said.retry_s}
    return _with_verdict(whole, None, threshold_mbps)


def _later(said: Postponed) -> str:
    why = word(reasons.POSTPONED, said.answer)
    return why + say(f"，{said.retry_s} 秒后再来", f"; come back in {said.retry_s} s")


def _json(test: LineTest, threshold_mbps: float) -> str:
    whole = msgspec.to_builtins(test)
    return _with_verdict(whole, verdict(test, threshold_mbps), threshold_mbps)


def _with_verdict(whole: dict[str, Any], meets: bool | None, threshold_mbps: float) -> str:
    found = {**whole, "threshold_mbps": threshold_mbps, "meets": meets}
    return msgspec.json.encode(found).decode()


def _rows(test: LineTest, threshold_mbps: float) -> Iterator[tuple[str, str]]:
    if test.outcome != "ok" or test.down_mbps is None:
        yield say("结果", "result"), word(reasons.OUTCOMES, test.outcome)
        yield say("原因", "reason"), _why(test)
        return
    low, high = _rate(test.down_low), _rate(test.down_high)
    yield say("下行", "down"), f"{test.down_mbps:.2f} Mbit/s ({low}–{high})"
    yield say("上行", "up"), f"{_rate(test.up_mbps)} Mbit/s"
    loaded = say(f"满载 {_ms(test.loaded_ms)}", f"loaded {_ms(test.loaded_ms)}")
    yield say("时延", "latency"), f"{_ms(test.latency_ms)}, {loaded}"
    yield say("抖动", "jitter"), _ms(test.jitter_ms)
    if test.loss_share is not None:
        yield say("重传", "sent again"), f"{test.loss_share:.1%}"
    if thresholds.is_lossy(test.loss_share, test.latency_ms, test.loaded_ms):
        yield say("丢包", "losses"), word(reasons.REASONS, "lossy")
    if test.burst:
        text = say("起初更快，随后降到上面的速率", "faster at first, then down to the rate above")
        yield say("突发桶", "burst bucket"), text
    used = (test.payload_down or 0) + (test.payload_up or 0)
    yield say("用量", "used"), f"{tables.size(used)}, {test.seconds:.1f} s"
    yield say("网卡", "interface"), test.interface
    asked = f"{thresholds.number(threshold_mbps)} Mbit/s"
    met = verdict(test, threshold_mbps)
    yield (
        say(f"对照 {asked}", f"against {asked}"),
        say("达标", "meets it") if met else say("不达标", "falls short"),
    )
    if test.reason:
        yield say("不作证据", "no evidence"), _why(test)
    yield say("口径", "meaning"), _meaning(thresholds.number(thresholds.limit(threshold_mbps)))


def _meaning(limit: str) -> str:
    return say(
        f"网卡层速率，≥ {limit} 算达标（容差 3%）；一次测试不是年度结论",
        f"rate at the interface, ≥ {limit} meets (tolerance 3%); one test is no yearly verdict",
    )


def _why(test: LineTest) -> str:
    """The reasons, with what else is known."""
    return str(reasons.said(test.reason)) + (f" ({test.detail})" if test.detail else "")


def _rate(mbps: float | None) -> str:
    return "—" if mbps is None else f"{mbps:.2f}"


def _ms(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f} ms"

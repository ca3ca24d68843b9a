"""`schoolpulse-agent line`: one test of the line, with a progress display and a verdict."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from agent import identity
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
from agent.common.output import print_json
from agent.probes.line import public as line_public
from agent.probes.line.probe import measure
from agent.wire.messages import LineTest, Postponed

#: What the yearly figure asks for, and its tolerance, in Mbit/s.
THRESHOLD, TOLERANCE = 10.0, 0.97
_WIDTH = 24
#: A school code for a test that no settings name; the server needs one to tell lines apart.
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
    server = args.server or config.line.server
    if not server:
        raise RefusedError(
            say(
                "不知道测速服务器：用 --server http://主机:端口，或在配置里设 line.server",
                "no measurement server: use --server http://host:port, or set line.server",
            )
        )
    show = _Show(sys.stderr.isatty())
    test = measure(
        server,
        school=config.school or _NO_SCHOOL,
        machine=identity.identify().machine,
        line=config.line.name,
        key=config.line.key(),
        progress=show,
    )
    show.clear()
    if isinstance(test, Postponed):
        _print(_json_later(test) if args.json else _later(test), as_json=args.json)
        return FAILED
    text = _json(test) if args.json else "\n".join(tables.lines(_rows(test)))
    _print(text, as_json=args.json)
    return DONE if test.outcome == "ok" else FAILED


def _print(text: str, *, as_json: bool) -> None:
    (print_json if as_json else print)(text)


def _public(args: argparse.Namespace) -> int:
    """speedtest.net's figure, plainly told from the line's."""
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
        sys.stderr.write(f"\r{_phase(phase)} {bar} {rate}\033[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave no trace of the bar."""
        if self._terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _phase(name: str) -> str:
    words = {
        "ask": say("申请", "asking"),
        "download": say("下行", "down  "),
        "drain": say("下行", "down  "),
        "upload": say("上行", "up    "),
    }
    return words.get(name, name)


def verdict(test: LineTest) -> bool | None:
    """Whether this test reaches the threshold; None where it has no figure."""
    return None if test.down_mbps is None else test.down_mbps >= THRESHOLD * TOLERANCE


def _json_later(said: Postponed) -> str:
    whole = {"outcome": said.answer, "retry_s": said.retry_s, "meets_10m": None}
    return msgspec.json.encode(whole).decode()


def _later(said: Postponed) -> str:
    why = {
        "busy": say("线路上正有别的测试", "another test of this line runs"),
        "enough": say("这条线路今天已经测够", "this line has been tested enough today"),
        "full": say("测速服务器已满", "the measurement server is full"),
        "later": say("先让今天没测过的电脑", "PCs that have not tested today come first"),
    }[said.answer]
    return why + say(f"，{said.retry_s} 秒后再来", f"; come back in {said.retry_s} s")


def _json(test: LineTest) -> str:
    whole: dict[str, Any] = msgspec.to_builtins(test)
    return msgspec.json.encode({**whole, "meets_10m": verdict(test)}).decode()


def _rows(test: LineTest) -> Iterator[tuple[str, str]]:
    if test.outcome != "ok" or test.down_mbps is None:
        yield say("结果", "result"), f"{_outcome(test.outcome)} ({test.reason})"
        return
    low, high = _rate(test.down_low), _rate(test.down_high)
    yield say("下行", "down"), f"{test.down_mbps:.2f} Mbit/s ({low}–{high})"
    yield say("上行", "up"), f"{_rate(test.up_mbps)} Mbit/s"
    loaded = say(f"满载 {_ms(test.loaded_ms)}", f"loaded {_ms(test.loaded_ms)}")
    yield say("时延", "latency"), f"{_ms(test.latency_ms)}, {loaded}"
    yield say("抖动", "jitter"), _ms(test.jitter_ms)
    if test.loss_share is not None:
        yield say("重传", "sent again"), f"{test.loss_share:.1%}"
    if test.burst:
        text = say("起初更快，随后降到上面的速率", "faster at first, then down to the rate above")
        yield say("突发桶", "burst bucket"), text
    used = (test.payload_down or 0) + (test.payload_up or 0)
    yield say("用量", "used"), f"{tables.size(used)}, {test.seconds:.1f} s"
    yield say("网卡", "interface"), test.interface
    yield say("对照 10 Mbit/s", "against 10 Mbit/s"), _verdict_text(test)
    if test.reason:
        yield say("不作证据", "no evidence"), test.reason
    yield (
        say("口径", "meaning"),
        say(
            f"网卡层速率，≥ {THRESHOLD * TOLERANCE:g} 算达标（容差 3%）；一次测试不是年度结论",
            f"rate at the interface, ≥ {THRESHOLD * TOLERANCE:g} meets (tolerance 3%); "
            "one test is no yearly verdict",
        ),
    )


def _verdict_text(test: LineTest) -> str:
    return say("达标", "meets it") if verdict(test) else say("不达标", "falls short")


def _rate(mbps: float | None) -> str:
    return "—" if mbps is None else f"{mbps:.2f}"


def _ms(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f} ms"


def _outcome(name: str) -> str:
    words = {
        "unreachable": say("连不上测速服务器", "the measurement server cannot be reached"),
        "refused": say("测速服务器拒绝了", "the measurement server refused"),
        "busy": say("线路上正有别的测试", "another test of this line runs"),
        "too_slow": say("太慢，时限内测不完", "too slow to finish in time"),
        "aborted": say("测试中断", "the test was broken off"),
        "garbled": say("对方不是测速服务器，或中途被改动", "not our server, or altered on the way"),
        "no_counter": say("读不到网卡计数", "the interface's counters cannot be read"),
    }
    return words.get(name, name)

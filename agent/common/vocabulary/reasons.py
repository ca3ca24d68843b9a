"""Why a line test is no evidence or has no rate, in codes and words. Pure.

The field `reason` of `line_test` holds the agent's own codes, by comma; the figure adds those
that only the measurement server's record shows. What else is known of a failure, as the system
or the server said it, stands in the field `detail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from agent.common.vocabulary.words import SEPARATOR, Words, combined, listed

#: What the test ran over, if not over a wired line; at most one of them.
INTERFACES: Mapping[str, Words] = {
    "wifi": Words("经过无线网卡", "over Wi-Fi"),
    "loopback": Words("回环接口，不是有线线路", "over loopback, not a wired line"),
    "virtual": Words("经过虚拟网卡", "over a virtual interface"),
    "vpn": Words("经过 VPN", "over a VPN"),
    "tether": Words("经过手机共享的网络", "over a phone's shared network"),
    "not_wired": Words("不是有线", "not wired"),
}
#: What disturbed the test; any of them together, after the interface.
DISTURBANCES: Mapping[str, Words] = {
    "not_alone": Words("不是独占线路", "not alone on the line"),
    "other_traffic": Words("本机其他流量达到 5%", "other local traffic of 5% or more"),
    "server_limited": Words("受测速服务器限制", "limited by the server"),
    "pc_limited": Words("受本机限制", "limited by the PC"),
}
#: Why a test came to no rate; one of them.
FAILED: Mapping[str, Words] = {
    "no_address": Words("不是 http 地址", "not an http address"),
    "no_answer": Words("测速服务器没有及时应答", "the server did not answer in time"),
    "no_connection": Words("连不上测速服务器", "the server cannot be reached"),
    "broke_off": Words("传输中断", "a transfer broke off"),
    "key_missing": Words(
        "测速服务器要学校的密钥：设 line.key_file",
        "the server wants the school's key: set line.key_file",
    ),
    "key_unreadable": Words("读不到学校的密钥", "the school's key cannot be read"),
    "key_refused": Words("测速服务器不认这个密钥", "the server refused the key"),
    "unknown_line": Words("台账里没有这条线路", "the register has no such line"),
    "bad_status": Words("测速服务器拒绝了请求", "the server refused a request"),
    "bad_reply": Words("应答不像测速服务器的", "not an answer of a measurement server"),
    "cut_short": Words("应答不完整", "an answer was cut short"),
    "cached": Words(
        "收到的多于服务器发出的：中途有缓存",
        "more came than the server sent: a cache answered",
    ),
    "not_in_time": Words("时限内没有测完", "not through within its time"),
    "too_few_bytes": Words("收到的数据太少", "too few bytes came"),
    "ramp_unfinished": Words(
        "往返时间长：提速还没完成，限定的数据量已用完",
        "a long round trip: the bytes allowed were used up while the rate still rose",
    ),
    "unfilled": Words(
        "往返时间长：测试的连接没有占满线路",
        "a long round trip: the test's connections did not fill the line",
    ),
    "too_few_readings": Words(
        "读数太少（电脑忙，或测得太快），得不出速率",
        "too few readings for a rate: the PC was busy, or the test was over too soon",
    ),
    "no_interface": Words("找不到路由经过的网卡", "no interface has the route's address"),
    "counter_still": Words(
        "网卡计数不动，或读不到", "the interface's counter stands still, or cannot be read"
    ),
    "counter_restarted": Words("网卡计数中途回退", "the interface's counter stepped back"),
    "counter_slow": Words(
        "网卡计数刷新太慢，得不出速率", "the interface's counter is refreshed too rarely"
    ),
    "child_ended": Words("测试进程自己退出了", "the child process ended by itself"),
    "crashed": Words("测试程序出错", "the test program failed"),
}
#: What only the figure finds; it checks some of the above too.
REFUSED: Mapping[str, Words] = {
    "error": Words("出错", "error"),
    "no_rate": Words("没有速率", "no rate"),
    "said_invalid": Words("代理自认无效", "marked invalid by the agent itself"),
    "no_record": Words("没有服务器记录", "no record of the server"),
    "record_failed": Words("服务器记录未完成", "the server's record is not of a finished test"),
    "payload": Words("收到的多于服务器发出的", "more payload than the server sent"),
    "rate": Words("速率高于服务器记录的 1.08 倍", "over 1.08 times the server's rate"),
    "burst": Words("突发速率，长测不能持续", "a burst: the line's long test does not sustain it"),
    "time": Words("时间与服务器记录差 10 分钟以上", "over 10 minutes from the server's record"),
    "used_twice": Words("同一测试编号用了两次", "its id was used twice"),
    "other_network": Words("来自线路登记网段之外", "from outside the line's registered network"),
    "other_machine": Words("与服务器记录的电脑不同", "by another PC than the server's record has"),
    "record_limited": Words(
        "服务器记录称受服务器限制", "limited by the server, by the server's record"
    ),
    "late": Words("事后 7 天以上才到达", "arrived 7 days or more after its time"),
    "lossy": Words(
        "有丢包而没有排队：是送达的速率，线路可能更快",
        "losses and no queue: the rate delivered, the line may be faster",
    ),
    "no_report": Words(
        "只有服务器记录，没有代理的报告", "a server record without the agent's report"
    ),
}
REASONS: Mapping[str, Words] = {**INTERFACES, **DISTURBANCES, **FAILED, **REFUSED}

OUTCOMES: Mapping[str, Words] = {
    "ok": Words("完成", "done"),
    "unreachable": Words("连不上测速服务器", "the measurement server cannot be reached"),
    "refused": Words("测速服务器拒绝了", "the measurement server refused"),
    "busy": Words("线路上正有别的测试", "another test of this line runs"),
    "too_slow": Words("没有得出速率", "came to no rate"),
    "aborted": Words("测试中断", "the test was broken off"),
    "garbled": Words("对方不是测速服务器，或中途被改动", "not our server, or altered on the way"),
    "no_counter": Words("读不到网卡计数", "the interface's counters cannot be read"),
}
#: Why it is not our turn.
POSTPONED: Mapping[str, Words] = {
    "busy": OUTCOMES["busy"],
    "enough": Words("这条线路今天已经测够", "this line has been tested enough today"),
    "full": Words("测速服务器已满", "the measurement server is full"),
    "later": Words("先让今天没测过的电脑", "PCs that have not tested today come first"),
}

#: What agents wrote before there were codes.
OLD: Mapping[str, str] = {
    "wifi interface": "wifi",
    "loopback interface": "loopback",
    "virtual interface": "virtual",
    "VPN interface": "vpn",
    "other interface": "not_wired",
    "not alone on the line": "not_alone",
    "other traffic": "other_traffic",
    "limited by the server": "server_limited",
    "server was the bottleneck": "server_limited",
    "unreachable": "no_connection",
    "no answer in time": "no_answer",
}
#: The same for texts that contained a number, by regular expression.
OLD_NUMBERED: Mapping[str, str] = {r"other traffic \d+%": "other_traffic"}


def said(text: str) -> Words:
    """The reasons of a test; empty for none."""
    return listed([_word(part) for part in text.split(SEPARATOR)])


def _word(part: str) -> Words:
    code = OLD.get(part, part)
    for form, known in OLD_NUMBERED.items():
        code = known if re.fullmatch(form, part) else code
    return REASONS.get(code, Words(code, code))


@lru_cache(maxsize=1 << 10)  # a year's tests give the same few reasons
def codes(text: str) -> frozenset[str]:
    """The codes that the field `reason` holds."""
    parts = (part.strip() for part in text.split(SEPARATOR.strip()))
    return frozenset(OLD.get(part, part) for part in parts if part)


def stored() -> Iterator[tuple[str, Words]]:
    """Every text that the field `reason` can hold, and its words."""
    yield from INTERFACES.items()
    yield from combined(DISTURBANCES, tuple(DISTURBANCES))
    for interface, word in INTERFACES.items():
        for text, words in combined(DISTURBANCES, tuple(DISTURBANCES)):
            yield f"{interface}{SEPARATOR}{text}", listed([word, words])
    yield from FAILED.items()

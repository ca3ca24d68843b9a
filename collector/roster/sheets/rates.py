"""Bandwidths as people write them: 100, 100M光纤, 百兆, 千兆, 100M/20M. Pure."""

from __future__ import annotations

import re

from agent.common.language import say
from collector.roster.problems import UnfitError
from collector.roster.sheets.texts import plain

MAX_MBPS = 1_000_000.0
_WORDS = {"百兆": "100m", "千兆": "1000m", "万兆": "10000m", "百m": "100m", "千m": "1000m"}
_RATE = re.compile(r"(\d+(?:\.\d+)?)(千兆|万兆|k|m|g|兆|吉)?(?:bit|b|比特|位)?(?:ps|s|秒|每秒)?")
_FACTOR = {"k": 0.001, "g": 1000.0, "吉": 1000.0, "千兆": 1000.0, "万兆": 10_000.0}
#: What a rate may be called; it says nothing of how fast the line is.
_KINDS = re.compile(
    r"(?:电信|移动|联通|广电)|(?:光纤|宽带|专线|光宽带|互联网|网络|带宽|接入|对称|独享|共享|企业|教育|以太网)+"
)
_DIRECTED = re.compile("(?:下行|下载|上行|上传)[^下上]+")
_UP = re.compile("上行|上传|up")
_AROUND = re.compile("[():]|下行|下载|上行|上传|down|up")
_BYTES = re.compile(r"[KMG](?:i)?B(?:yte)?s?\s*(?:/\s*[sS]|ps|/秒|每秒)|字节|bytes?", re.ASCII)


def parse_bandwidth(text: str) -> float:
    """A rate ≥ 0 in Mbit/s; of a rate down and a rate up, the one down."""
    shown = plain(text)
    if _BYTES.search(shown):
        raise UnfitError(*_in_bytes(shown))
    bare = _KINDS.sub("", re.sub(r"\s|[,，](?=\d{3})", "", shown.casefold()))
    for word, digits in _WORDS.items():
        bare = re.sub(rf"(?<![\d.一二两三四五六七八九十百千万]){word}", digits, bare)
    parts = [part for part in re.split(r"[/、;,+]", _slashed(bare)) if part]
    if len(parts) == 1:
        parts = _DIRECTED.findall(bare) or parts
    rates = [(_rate(_AROUND.sub("", part)), bool(_UP.search(part))) for part in parts]
    if len(parts) == 2 and "+" in bare:
        raise UnfitError(
            say("像是两条线路", "looks like two lines"),
            say("一条线路写一行", "write one row a line"),
        )
    rate = next((found for found, up in rates if not up), None)
    if rate is None or len(rates) > 2 or any(found is None for found, _ in rates):
        raise UnfitError(*_no_rate(shown))
    if rate > MAX_MBPS:
        raise UnfitError(
            say("大得不可能", "is impossibly large"), say("单位是兆（Mbit/s）", "in Mbit/s")
        )
    return rate


def _slashed(text: str) -> str:
    """The slash of a unit such as mbit/s is no slash between two rates."""
    return re.sub(r"(bit|b|兆|m|g|k)/(s(?![a-z])|秒)", r"\1", text)


def _rate(text: str) -> float | None:
    found = _RATE.fullmatch(text)
    if not found:
        return None
    return float(found[1]) * _FACTOR.get(found[2] or "m", 1.0)


def _no_rate(text: str) -> tuple[str, str]:
    if text.casefold() in {"无", "没有", "无宽带", "未接入", "none"}:
        return (
            say("是没有宽带，还是不知道？", "no broadband, or not known?"),
            say("没有宽带写 0；不知道则空", "0: no broadband; empty: not known"),
        )
    return (
        say("不是带宽（≥ 0 的数）", "is not a rate (a number ≥ 0)"),
        say(
            "填下行兆数，如 100；没有宽带写 0；不知道则空",
            "enter Mbit/s down, such as 100; 0: no broadband; empty: not known",
        ),
    )


def _in_bytes(text: str) -> tuple[str, str]:
    """MB/s is eight times Mbit/s: 12.5 MB/s is what a download on a line of 100M shows."""
    found = re.search(r"\d+(?:\.\d+)?", text)
    bits = f"{float(found[0]) * 8:g}" if found else ""
    meant = say(f"是不是 {bits} 兆？", f"did you mean {bits}? ") if bits else ""
    return (
        say("单位是字节每秒，合同不这样写", "is in bytes a second, as no contract is"),
        meant + say("填合同上的兆数（Mbit/s）", "enter the contract's Mbit/s"),
    )

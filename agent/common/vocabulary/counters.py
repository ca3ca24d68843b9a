"""What the collector and the broker count. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

COUNTERS: Mapping[str, Words] = {
    "received": Words("收到", "received"),
    "stored": Words("存下", "stored"),
    "duplicates": Words("重复", "duplicates"),
    "queue": Words("等待入库", "waiting"),
    "held": Words("暂存", "held"),
    "quarantined": Words("隔离", "quarantined"),
    "keeper_lag_s": Words("汇总滞后", "keeper's lag"),
    "write_ms": Words("写入", "write"),
    "clients": Words("连接", "clients"),
    "dropped": Words("丢弃", "dropped"),
}

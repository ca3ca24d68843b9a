"""What a board says where it has nothing to show. All other words are the vocabulary's."""

from __future__ import annotations

from agent.common.vocabulary.words import Words

#: Not 0: a number that nobody has counted.
ABSENT = Words("没有数据", "not known")
#: An empty table of troubles is good news only where data come in: a board must not say more.
NOTHING = Words(
    "没有要做的事；前提是有数据：看运维看板上采集服务刚刚写过",
    "nothing to do, as long as data come in: see on Operations that the collector wrote just now",
)

"""Whether a school is heard of: from what its PCs reported lately. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

#: From best to worst.
HEARING: Mapping[str, Words] = {
    "reporting": Words("在报", "reporting"),
    "closed": Words("放学", "closed now"),
    "silent": Words("静默", "silent"),
    "never": Words("30 天未见", "not seen in 30 days"),
}
MEANINGS: Mapping[str, Words] = {
    "reporting": Words("近两小时有电脑上报", "a PC reported within two hours"),
    "closed": Words(
        "现在不是上学时间，30 天内上报过", "outside school hours; reported within 30 days"
    ),
    "silent": Words("上学时间没有电脑上报", "no PC reports during school hours"),
    "never": Words("30 天内没有任何上报", "no report at all within 30 days"),
}

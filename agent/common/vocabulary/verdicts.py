"""The six verdicts of a unit. Codes as `collector.compliance.model.Verdict`, best known first.

核实率 counts what was measured (实测达标) and what an inspection found (现场核查): so neither of
the two is called 已核实 by itself. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

VERDICTS: Mapping[str, Words] = {
    "verified": Words("实测达标", "verified"),
    "inspected": Words("现场核查", "inspected"),
    "declared": Words("仅申报", "declared"),
    "contradicted": Words("与申报不符", "contradicted"),
    "short": Words("未配备", "short"),
    "unknown": Words("未知", "unknown"),
}
#: For the heads of narrow columns, in the same order.
SHORT: Mapping[str, Words] = {
    "verified": Words("实测", "ver."),
    "inspected": Words("核查", "insp."),
    "declared": Words("申报", "decl."),
    "contradicted": Words("不符", "contr."),
    "short": Words("未配", "short"),
    "unknown": Words("未知", "unkn."),
}
MEANINGS: Mapping[str, Words] = {
    "verified": Words("遥测表明达标", "telemetry shows it"),
    "inspected": Words("有效期内的现场核查表明达标", "an inspection still valid shows it"),
    "declared": Words(
        "台账说有，没有遥测或核查佐证", "only the register says so: no telemetry or inspection"
    ),
    "contradicted": Words(
        "台账说有，遥测或核查说没有",
        "the register says so, telemetry or an inspection says no",
    ),
    "short": Words("台账或证据说没有", "the register or the evidence says no"),
    "unknown": Words("没有任何依据", "no evidence at all"),
}

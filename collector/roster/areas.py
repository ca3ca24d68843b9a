"""Districts: those of Xining are built in, another city's are written as code and name.

Codes are those of GB/T 2260; the city's own schools (市直属) have the city's code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.common.language import say
from collector.roster.problems import UnfitError

#: The code of the unit responsible for the city's own schools.
DIRECT = "630100"
XINING: Mapping[str, str] = MappingProxyType({
    DIRECT: "市直属",
    "630102": "城东区",
    "630103": "城中区",
    "630104": "城西区",
    "630105": "城北区",
    "630106": "湟中区",
    "630121": "大通回族土族自治县",
    "630123": "湟源县",
})  # fmt: skip
#: Abolished codes, and the codes that replaced them.
FORMER: Mapping[str, str] = MappingProxyType({"630122": "630106"})
_FORMER_NAMES: Mapping[str, str] = MappingProxyType({"湟中县": "630106"})
_ALIASES: Mapping[str, str] = MappingProxyType({
    "city_direct": DIRECT, "市直": DIRECT, "西宁市": DIRECT, "市本级": DIRECT, "市属": DIRECT,
    "市教育局": DIRECT, "西宁市教育局": DIRECT, "大通": "630121", "大通县": "630121",
    "城东": "630102", "城中": "630103", "城西": "630104", "城北": "630105",
    "湟中": "630106", "湟源": "630123",
})  # fmt: skip
_CODE_NAME = re.compile(r"(?:([0-9]{6})\s*(\D.*)?|(\D.*?)\s*([0-9]{6})?)")


@dataclass(slots=True)
class Areas:
    """District names by code, built in and learnt from sheets; each code has one name."""

    names: dict[str, str] = field(default_factory=lambda: dict(XINING))

    def learn(self, cell: str) -> None:
        """Learn a name from a cell such as `310104 徐汇区`; `resolve` reports contradictions."""
        code, name = _split(cell)
        if code and name and code not in self.names and code not in FORMER:
            self.names[code] = name

    def resolve(self, cell: str) -> tuple[str, str]:
        """The code of a cell's district, and a warning, empty if none.

        Raises:
            UnfitError: no such district, or a name that belongs to another code.
        """
        code, name = _split(cell)
        if code in FORMER or _short(name) in _FORMER_NAMES:
            current = FORMER.get(code) or _FORMER_NAMES[_short(name)]
            title = self.names[current]
            return current, say(f"已改为{title}（{current}）", f"is now {title} ({current})")
        by_name = self._code_of(name) if name else ""
        if code and name and by_name != code and self.names.get(code) != name:
            raise UnfitError(
                say("代码和名称对不上", "has a code and a name that disagree"),
                say(f"{code} 是{self.names.get(code)}", f"{code} is {self.names.get(code)}"),
            )
        if code:
            return code, "" if code in self.names else self._nameless(code)
        if not by_name:
            raise UnfitError(say("没有这个区县", "is not a known district"), self._known_areas())
        return by_name, ""

    def _code_of(self, name: str) -> str:
        for text in (name, _short(name)):
            for code, known in self.names.items():
                if text == known:
                    return code
            if text in _ALIASES:
                return _ALIASES[text]
        return ""

    def _nameless(self, code: str) -> str:
        return say(
            f"代码没有名称，写成「{code} 名称」才会显示名称",
            f"has no name: write '{code} name' to have one shown",
        )

    def _known_areas(self) -> str:
        known = say("、", ", ").join(self.names.values())
        return say(
            f"可填 {known}，或 6 位代码；别的城市写「310104 徐汇区」",
            f"one of {known}, or a 6-digit code; elsewhere write '310104 徐汇区'",
        )


def _split(cell: str) -> tuple[str, str]:
    """(code, name), either may be empty; brackets around either are dropped."""
    found = _CODE_NAME.fullmatch(re.sub(r"[()（）]", " ", cell).strip())
    if not found:
        return "", cell
    return found[1] or found[4] or "", (found[2] or found[3] or "").strip()


def _short(name: str) -> str:
    """西宁市城东区教育局 is 城东区."""
    name = re.sub(r"(教育局|教育科技局|教育体育局)$", "", name)
    return re.sub(r"^(青海省)?(西宁市)?(?=.)", "", name) or name

"""The Chinese font of the formats that are drawn here (pdf, png): found, or its absence named.

A report with empty boxes for names would be worse than none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from unicodedata import category

import typst

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.report.drawing import FAMILIES
from collector.report.glyphs import Characters, characters

#: What tells a Chinese font that is not in the list: of the names of Xining's districts.
_SAMPLE = "市教育信息化达标报告城东中西北湟源大通回族土自治县"
#: Signs that the fonts within typst have.
_OWN_SIGNS = frozenset("●◆○✕✓✗−")

#: Unicode categories that need no glyph.
_UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))

Search = Callable[[Sequence[Path]], typst.Fonts]


class FontError(RefusedError):
    """No font of this machine can show Chinese, or not the one that the settings name."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font found: its family, and all fonts that help out where it lacks a character."""

    family: str
    fonts: typst.Fonts
    _read: dict[tuple[str, int], Characters] = field(default_factory=dict)

    def without_boxes(self, text: str) -> str:
        """`text` with a character that no font has as its code, as 〔U+20BB7〕."""
        names = {ord(one): f"〔U+{ord(one):04X}〕" for one in self.lacking(text)}
        return text.translate(names) if names else text

    def lacking(self, text: str) -> list[str]:
        """The characters of `text` that no font has, sorted."""
        left = {one for one in set(text) if category(one) not in _UNSEEN} - _OWN_SIGNS
        for place in self._places():
            left = {one for one in left if one not in self._characters(place)}
            if not left:
                break
        return sorted(left)

    def _places(self) -> Iterable[tuple[str, int]]:
        """Files and the fonts' numbers in them, those of the family first, each once."""
        infos = sorted(self.fonts.fonts(), key=lambda info: info.family != self.family)
        return dict.fromkeys((info.path, info.index) for info in infos if info.path)

    def _characters(self, place: tuple[str, int]) -> Characters:
        if place not in self._read:
            try:
                self._read[place] = characters(Path(place[0]), place[1])
            except (OSError, ValueError):  # one that cannot be read shows nothing
                self._read[place] = Characters((), ())
        return self._read[place]


def _installed(more: Sequence[Path]) -> typst.Fonts:
    return typst.Fonts(font_paths=list(more))


@cache
def find(wanted: str = "", search: Search = _installed) -> Font:
    """The font `wanted`, a family's name or a font file; empty: the best that is installed.

    Raises:
        FontError: it is not there or has no Chinese; the message says what to install or set.
    """
    if Path(wanted).suffix.lower() in (".ttf", ".otf", ".ttc", ".otc"):
        return _of_file(Path(wanted), search)
    fonts = search(())
    families = {name.casefold(): name for name in fonts.families()}
    if wanted and wanted.casefold() not in families:
        raise FontError(_not_there(wanted))
    names = (wanted,) if wanted else FAMILIES
    known = [families[name.casefold()] for name in names if name.casefold() in families]
    return _first_chinese(fonts, known or sorted(families.values()), wanted)


def _of_file(path: Path, search: Search) -> Font:
    if not path.is_file():
        raise FontError(_not_there(str(path)))
    fonts = search((path.parent,))
    own = {info.family: info for info in fonts.fonts() if _same(info.path, path)}
    return _first_chinese(fonts, sorted(own, key=lambda name: "SC" not in name), str(path))


def _same(found: str | None, path: Path) -> bool:
    return found is not None and Path(found).name == path.name and Path(found).samefile(path)


def _first_chinese(fonts: typst.Fonts, families: Iterable[str], wanted: str) -> Font:
    for name in families:
        alone = [info for info in fonts.fonts() if info.family == name and info.path]
        if any(_has_chinese(info.path, info.index) for info in alone if info.path):
            return Font(name, fonts)
    raise FontError(_no_chinese(wanted) if wanted else _none())


def _has_chinese(path: str, index: int) -> bool:
    try:
        found = characters(Path(path), index)
    except (OSError, ValueError):
        return False
    return all(one in found for one in _SAMPLE)


def _fix() -> str:
    """What to install on this kind of machine."""
    fixes: Mapping[str, str] = {
        "linux": "apt install fonts-noto-cjk",
        "win32": say(
            "设置 → 系统 → 可选功能 → 简体中文补充字体",
            "Settings, System, Optional features: Chinese (Simplified) Supplemental Fonts",
        ),
        "darwin": say("字体册中启用“苹方”或“冬青黑体”", "enable PingFang or Hiragino in Font Book"),
    }
    return fixes.get(sys.platform, fixes["linux"])


def _none() -> str:
    return say(
        f"本机没有中文字体，pdf 和 png 会是一片方框，未生成。安装：{_fix()}；"
        '或在 collector.toml 的 [report] 写 font = "字体文件"；'
        "不需要它们时用 --format 选其他格式",
        f"no Chinese font on this machine: pdf and png would be all boxes. Install: {_fix()}; "
        'or set font = "FILE" under [report] in collector.toml; '
        "or name the other formats with --format",
    )


def _not_there(wanted: str) -> str:
    return say(
        f"找不到 [report] font 所写的字体：{wanted}。写已安装字体的名称，"
        f"或 .ttf、.otf、.ttc 文件的路径；留空则自动查找。安装：{_fix()}",
        f"the font of [report] font is not there: {wanted}. Name an installed font, or the path "
        f"of a .ttf, .otf or .ttc file; empty: it is searched for. Install: {_fix()}",
    )


def _no_chinese(wanted: str) -> str:
    return say(
        f"[report] font 所写的字体没有中文：{wanted}。换一种，或留空自动查找。安装：{_fix()}",
        f"the font of [report] font has no Chinese: {wanted}. Name another, or leave it empty. "
        f"Install: {_fix()}",
    )

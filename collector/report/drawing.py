"""What pictures are drawn of: marks of SVG as text, and bars of the three shares. Pure.

Told apart by texture and line, not by colour alone; the classes are those of chart.css.
"""

from __future__ import annotations

from fractions import Fraction

from markupsafe import Markup, escape

from agent.common.printable import block
from collector.compliance.model import Tally

#: Families with simplified Chinese, the even ones for the screen first. They come with Debian's
#: fonts-noto-cjk, fonts-wqy-microhei and fonts-wqy-zenhei, with Windows, macOS, WPS and UOS.
FAMILIES = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "思源黑体", "Noto Sans SC",
    "Microsoft YaHei", "Hiragino Sans GB", "PingFang SC", "Heiti SC", "DengXian", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "HarmonyOS Sans SC",
    "Noto Serif CJK SC", "Source Han Serif SC", "SimSun", "NSimSun", "Songti SC", "FangSong",
    "KaiTi", "AR PL UMing CN", "AR PL UKai CN",
)  # fmt: skip
#: Referred to by every hatched bar.
PATTERN = Markup(
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="5" height="5" class="paper"/>'
    '<rect width="2" height="5" class="ink"/></pattern></defs>'
)


def number(value: float) -> str:
    """A coordinate without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """A rectangle of a class."""
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, number(x), number(y), number(width), number(height)
    )


def text(x: float, y: float, words: str, kind: str) -> Markup:
    """A line of text whose base line is at `y`."""
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        kind, number(x), number(y), escape(block(words))
    )


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A straight line."""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        kind, number(x1), number(y1), number(x2), number(y2)
    )


def path(kind: str, points: list[tuple[float, float]]) -> Markup:
    """A line through points."""
    through = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return Markup('<path class="{}" d="M{}"/>').format(kind, through)


def circle(kind: str, x: float, y: float, radius: float) -> Markup:
    """A dot."""
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(
        kind, number(x), number(y), number(radius)
    )


def shares(tally: Tally, x: float, y: float, width: float, height: float) -> Markup:
    """The three shares of 100% in one bar: verified solid, declared hatched, the ceiling framed."""
    track = rect("track", x, y, width, height)
    if tally.verified is None or tally.reported is None or tally.ceiling is None:
        return track
    verified, reported, ceiling = (
        float(share) * width for share in (tally.verified, tally.reported, tally.ceiling)
    )
    return Markup("").join(
        [
            track,
            rect("hatched", x + verified, y, reported - verified, height),
            rect("solid", x, y, verified, height),
            rect("ceiling", x, y, ceiling, height),
        ]
    )


def mark(goal: Fraction | None, x: float, y: float, width: float, height: float) -> Markup:
    """The target's mark on a bar; nothing where there is no target."""
    if goal is None:
        return Markup("")
    at = x + float(goal) * width
    return line("goal", at, y, at, y + height)


def small(tally: Tally, goal: Fraction | None) -> Markup:
    """One bar for a table's cell."""
    head = Markup('<svg class="small" viewBox="-1 -1 102 12" aria-hidden="true">')
    return head + shares(tally, 0, 0, 100, 10) + mark(goal, 0, -1, 100, 12) + Markup("</svg>")

"""What a register, a PC or a device may call itself to harm whoever reads it.

Each text stands for its kind; a test shows them all in every place that shows text of others.
"""

from __future__ import annotations

import re

MARKUP = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title></style></textarea><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus=alert(1) '",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "${7*7} %(x)s %s {0} {x}",
    "&lt;b&gt; &#60;b&#62;",
    "]]><!-- --><![CDATA[",
)
TERMINAL = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x9b31mred",
    "[/x] [bold red]x[/bold red] :smile:",
    "line\r\nHeader: injected\n2026-01-01 ERROR forged",
    "back\x08\x08\x08space\x7f",
)
DIRECTION = (
    "\u202egnp.exe\u202c",
    "\u2066left\u2069\u200fright\u200e",
    "\u061c\ufeff\u200bZERO",
)
SHEETS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|'/c calc'!A1", "\t=1+1")
PATHS = (
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "CON",
    "a/b\\c",
    "%2e%2e%2f",
)
ODD = (
    "nul\x00inside",
    "😀👩‍🏫🏴‍☠️ 𠮷 བོད་ལྗོངས",
    "e\u0301" * 50,
    "Z\u0351\u0352\u0353" * 40,
    "'; DROP TABLE school_day; --",
    "长" * 3500,
    "A" * 10_000,
    "   ",
    "—",
)
#: Everything, in an order that does not change.
ALL = (*MARKUP, *TERMINAL, *DIRECTION, *SHEETS, *PATHS, *ODD)
#: Long marks on one letter, private use, and what is not seen at all.
UNSEEN = (
    "Z" + "\u0351\u0352\u0353" * 40,
    "\ue000\U000f0000",
    "pay\u3164pal\u200dx\u2060\xad",
    "\u2028\u2029\x85\x0b\x0c",
    "\U000e0041\U000e0042",
)
SHEETS_WIDE = ("＝1+1", "＠SUM(A1)", " =1+1", "\r=1+1")
EVERY = (*ALL, *UNSEEN, *SHEETS_WIDE)
#: Those that a register, a store and the wire can hold as a name.
SHORT = tuple(text for text in EVERY if len(text) < 300)

#: What no terminal may get; a tab and a line break are ours.
BAD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ue000]"
)


def runs(text: str) -> bool:
    """Whether a sheet program would take the cell for a formula."""
    return bool(re.match(r"\s*[=+@＝＋－＠\t\r]|-(?!\d+(\.\d+)?$)", text)) and text not in ("-",)

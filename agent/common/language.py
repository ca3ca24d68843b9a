"""Which language users read: every text of ours is a pair, Chinese and English.

The terminal follows `--lang`, then SCHOOLPULSE_LANG, then the config's `lang`, then the system's
locale (zh* Chinese, other named languages English, C, POSIX or none Chinese). What is kept or
handed on (reports, boards, sheets) is Chinese unless one of the first three asks for English:
a report must not change with the terminal in which it was made.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Literal, NamedTuple

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
_CHINESE_WINDOWS = 0x04  # primary language of a LANGID: its low ten bits


class Choice(NamedTuple):
    """The language of what a terminal shows, and of documents."""

    terminal: Lang
    documents: Lang


_choice = Choice("zh", "zh")
_document: ContextVar[bool] = ContextVar("document", default=False)
_spoken: ContextVar[Lang | None] = ContextVar("spoken", default=None)


def decide(*asked: str | None, system: str) -> Choice:
    """The choice from what was asked, strongest first, and the system's language.

    An empty or unknown word asks for nothing. `system` is as `system_language` gives it.
    """
    for word in asked:
        for lang in LANGS:
            if word == lang:
                return Choice(lang, lang)
    return Choice(_of_locale(system), "zh")


def choose(terminal: Lang, documents: Lang | None = None) -> None:
    """Set the languages from now on; documents are in that of the terminal unless given."""
    global _choice
    _choice = Choice(terminal, documents or terminal)


def chosen() -> Lang:
    """The language in force here."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken
    return _choice.documents if _document.get() else _choice.terminal


def say(zh: str, en: str) -> str:
    """The one of the pair that the user reads."""
    return zh if chosen() == "zh" else en


def counted(count: object, noun: str) -> str:
    """In English so many of them: 1 PC, 2 PCs."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def of_documents() -> Lang:
    """The language of reports, boards and sheets."""
    return _choice.documents


@contextlib.contextmanager
def for_documents() -> Iterator[None]:
    """Within the block this thread writes a document: `say` gives its language."""
    token = _document.set(True)
    try:
        yield
    finally:
        _document.reset(token)


@contextlib.contextmanager
def speaking(lang: Lang) -> Iterator[None]:
    """Within the block `say` gives this language, to this thread alone: one reader's page."""
    token = _spoken.set(lang)
    try:
        yield
    finally:
        _spoken.reset(token)


def system_language(environ: Mapping[str, str]) -> str:
    """The language that the system is set to, as a locale such as `zh_CN.UTF-8`; empty: none."""
    return _of_windows() if sys.platform == "win32" else _of_posix(environ)


def _of_posix(environ: Mapping[str, str]) -> str:
    """As gettext reads it: LANGUAGE is a list, and counts only where a locale is set."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    if not _is_named(locale):
        return ""
    wanted = environ.get("LANGUAGE", "").split(":")
    return next((name for name in wanted if name[:2].lower() in LANGS), locale)


def _of_windows() -> str:
    """The language of the user's Windows; a service has one too."""
    if sys.platform != "win32":
        return ""
    import ctypes

    langid = ctypes.windll.kernel32.GetUserDefaultUILanguage()
    return "zh" if langid & 0x3FF == _CHINESE_WINDOWS else "en"


def _of_locale(name: str) -> Lang:
    return "en" if _is_named(name) and not name.lower().startswith("zh") else "zh"


def _is_named(locale: str) -> bool:
    """Whether the locale is a language: C, C.UTF-8 and POSIX are none."""
    return locale.split(".")[0].upper() not in ("", "C", "POSIX")

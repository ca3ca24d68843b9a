"""docs/deploy: its tables of secrets, options and exit codes are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.common import language, secret_files
from collector import secret_files as city

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/deploy"
LANGUAGES = {"en": ".md", "zh": ".zh-CN.md"}


def page(name: str, lang: str) -> str:
    return (PAGES / f"{name}{LANGUAGES[lang]}").read_text("utf-8")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_secret_has_its_row(lang: str) -> None:
    shown = re.findall(r"^\| `(\w+\.\w+_file)` \| `([^`]+)` \| (.*) \|$", page("linux", lang), re.M)
    language.choose(lang)
    try:
        known = [(row.setting, row.file, row.name) for row in (*secret_files.AGENT, *city.CITY)]
    finally:
        language.choose("zh")
    assert shown == known


@pytest.mark.parametrize("lang", LANGUAGES)
def test_options_and_exit_codes_are_the_installers(lang: str) -> None:
    script = (ROOT / "deploy/windows/installer.nsi").read_text("utf-8")
    text = page("windows", lang)
    options = set(re.findall(r'GetOptions} \$\d "(/[A-Z]+=?)"', script))
    assert options == set(re.findall(r"^\| `(/[A-Z]+=?)", text, re.M)) - {"/S"}
    codes = {"0", *re.findall(r"SetErrorLevel (\d)", script)}
    assert codes == set(re.findall(r"^\| (\d) \|", text, re.M))


@pytest.mark.parametrize("name", ["city", "linux", "windows", "image"])
def test_both_languages_have_the_same_commands_and_tables(name: str) -> None:
    def shape(text: str) -> tuple[list[str], list[int]]:
        blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.DOTALL | re.M)
        return blocks, [line.count("|") for line in text.splitlines() if line.startswith("|")]

    assert shape(page(name, "en")) == shape(page(name, "zh"))

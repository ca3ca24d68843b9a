"""Documents: the two READMEs say the same, and what any page names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent import cli as agent_cli
from agent.version import VERSION
from collector import cli as collector_cli

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = (
    *READMES, "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
)  # fmt: skip
COMMANDS = {"schoolpulse-agent": agent_cli.COMMANDS, "schoolpulse": collector_cli.COMMANDS}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
#: What a cell of the table of support begins with: tried, not tried, none.
_STATES = {"en": ("tried", "not tried", "none"), "zh": ("试过", "没有试过", "没有")}


def _text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def _blocks(page: str, language: str = r"\w*") -> list[str]:
    """What stands between fences, without comments."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", _text(page), re.DOTALL | re.MULTILINE)
    return [re.sub(r"\s+# .*", "", block) for block in blocks]


def _inline(page: str) -> list[str]:
    """Code within sentences; a name in angle brackets is a word of the language."""
    prose = re.sub(r"^```.*?^```", "", _text(page), flags=re.DOTALL | re.MULTILINE)
    return [re.sub(r"<[^>]*>", "<>", code) for code in re.findall(r"`([^`]+)`", prose)]


def _tables(page: str) -> list[list[list[str]]]:
    tables = re.findall(r"(?:^\|.*\n)+", _text(page), re.MULTILINE)
    return [[line[1:-1].split("|") for line in table.splitlines()] for table in tables]


def _links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", _text(page))


def _quotes(page: str) -> list[tuple[str, str]]:
    return re.findall(r"<!-- quoted from (\S+) -->\n```toml\n(.*?)```", _text(page), re.DOTALL)


def test_both_readmes_have_the_same_commands_and_settings() -> None:
    english, chinese = map(_blocks, READMES)
    assert len(english) > 8
    assert english == chinese


def test_both_readmes_name_the_same_code_in_the_same_number() -> None:
    english, chinese = (sorted(_inline(page)) for page in READMES)
    assert english == chinese


def test_both_readmes_have_the_same_chapters_tables_and_links() -> None:
    english, chinese = READMES
    depths = [re.findall(r"^(#+) ", _text(page), re.MULTILINE) for page in READMES]
    assert depths[0] == depths[1]
    shapes = [[[len(row) for row in table] for table in _tables(page)] for page in READMES]
    assert shapes[0] == shapes[1]
    links = [[link.replace(".zh-CN.", ".") for link in _links(page)] for page in READMES]
    assert links[0] == links[1]
    ends = [(link, re.sub(r"\.(\w+)$", r".zh-CN.\1", link)) for link in _links(chinese)]
    assert [link for link, ours in ends if ours != link != english and (ROOT / ours).exists()] == []


def test_both_readmes_claim_the_same_to_have_been_tried() -> None:
    def states(page: str, language: str) -> list[list[str]]:
        table = next(table for table in _tables(page) if table[0][-1].strip() == "macOS")
        return [[_state(cell.strip(), language) for cell in row[1:]] for row in table[2:]]

    found = states("README.md", "en")
    assert {state for row in found for state in row} == {"tried", "not tried", "none", "partly"}
    assert found == states("README.zh-CN.md", "zh")


def _state(cell: str, language: str) -> str:
    for word, state in zip(_STATES[language], _STATES["en"], strict=True):
        if re.match(rf"{word}(?!\w)", cell):
            return state
    return "partly"


@pytest.mark.parametrize("page", READMES)
def test_settings_are_quoted_from_the_samples(page: str) -> None:
    quotes = _quotes(page)
    assert {file for file, _ in quotes} == {"deploy/agent.toml", "deploy/collector.toml"}
    for file, quote in quotes:
        lines = iter(_text(file).splitlines())
        wanted = [line for line in quote.splitlines() if line]
        assert all(line in lines for line in wanted), f"{file}: not there, or in another order"


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_a_page_names_exist(page: str) -> None:
    code = "\n".join([*_blocks(page), *_inline(page)])
    named = re.findall(r"(?<![\w/.-])(schoolpulse(?:-agent)?) ([a-z]+(?:-[a-z]+)*)\b", code)
    assert [pair for pair in named if pair[1] not in COMMANDS[pair[0]]] == []
    makes = re.findall(r"(?:^|`)make ([a-z-]+)", code, re.MULTILINE)
    assert [target for target in makes if target not in TARGETS] == []


def test_readmes_name_commands() -> None:
    assert len(re.findall(r"\bschoolpulse(?:-agent)? [a-z]+", _text("README.md"))) > 20


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    assert [link for link in _links(page) if not (folder / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_installs_from_an_index(page: str) -> None:
    """The product is on none: whoever takes its name there would be installed."""
    assert not re.search(r"pip install\s+['\"]?schoolpulse", _text(page))


def test_the_changelog_begins_with_what_is_coming_and_this_version() -> None:
    heads = re.findall(r"^## \[(.*?)\](.*)$", _text("CHANGELOG.md"), re.MULTILINE)
    assert [name for name, _ in heads[:2]] == ["Unreleased", VERSION]
    assert all(re.fullmatch(r" - \d{4}-\d\d-\d\d", day) for _, day in heads[1:])

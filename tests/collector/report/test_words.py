"""One thing has one word: terminal, page, explanation, boards, alerts and the agent compared."""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.commands import line as agent_line
from agent.common import language
from agent.common.vocabulary import devices, indicators, lines, reasons, states, verdicts
from agent.common.vocabulary.words import LANGS, Lang, Words
from agent.wire import LineTest
from collector import report
from collector.report import explain, terminal
from collector.roster.sheets import words as sheets
from dashboards import alerts, build, mappings
from dashboards.edition import Edition

ROOT = Path(__file__).parents[3]
#: Whose texts are compared with the vocabulary.
SOURCES = [
    *(ROOT / "dashboards").glob("*.py"),
    *(ROOT / "agent/commands").glob("*.py"),
    *(path for room in ("report", "compliance", "inventory", "commands", "grafana")
      for path in (ROOT / "collector" / room).rglob("*.py")),
]  # fmt: skip
TEMPLATE = ROOT / "collector/report/report.html.j2"
#: Words of the vocabulary that also mean something else where they stand alone.
OTHERWISE = {
    "线路",  # a board's name, a heading of the agent's own status
    "带宽", "目标", "结论", "网络", "未知", "开", "关", "在", "其他", "完成", "故障", "连接",
}  # fmt: skip
#: How the same things were called once.
FORMER = (
    "已核实|现场核实|扣留|课堂中位数|外接显示|扬声器|话筒|音响|缺失|不在 [0-9{]|触控(?!一)|"
    "(?<!中小学)班级多媒体设备配备率|采集程序|采集端"
)


def texts(figure: Any) -> dict[str, str]:
    """Everything that is said of a figure in the language in force, by where it is said."""
    out = io.StringIO()
    terminal.show(figure, out)
    codes = [area.code for area in figure.areas if area.level == "school"]
    known = {unit.school for unit in figure.units}
    said = [line for code in codes if code in known for line in explain.text(figure, code)]
    return {
        "terminal": out.getvalue(),
        "explain": "\n".join(said),
        "page": report.render(figure, "html").decode(),
    }


def boards(edition: Edition) -> str:
    made = [make(edition) for make in build.BOARDS.values()]
    return json.dumps([*made, alerts.groups(edition, str)], ensure_ascii=False)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("mbps", [10.0, 100.0])
def test_an_indicator_has_one_name_everywhere(town: Any, lang: Lang, mbps: float) -> None:
    language.choose(lang)
    found = texts(town.figure(threshold_mbps=mbps)) | {"boards": boards(Edition(lang, mbps))}
    for indicator in indicators.INDICATORS:
        title = indicators.title(indicator, mbps).of(lang)
        assert [place for place, text in found.items() if title not in text] == []
    other = indicators.title("line", 1000.0 / mbps).of(lang)
    assert [place for place, text in found.items() if other in text] == []


@pytest.mark.parametrize("lang", LANGS)
def test_a_verdict_has_one_name_everywhere(town: Any, lang: Lang) -> None:
    language.choose(lang)
    figure = town.figure()
    found = texts(figure)
    (options,) = (one["options"] for one in mappings.verdict_words(lang))
    for verdict in {str(unit.verdict) for unit in figure.units}:
        on_boards = options[verdict]["text"]
        assert f"{on_boards}" in found["page"]
        assert f": {on_boards}\n" in found["explain"]
        assert verdicts.SHORT[verdict].of(lang) in found["terminal"]
        assert on_boards == verdicts.VERDICTS[verdict].of(lang)
    assert len({unit.verdict for unit in figure.units}) >= 4


@pytest.mark.parametrize("lang", LANGS)
def test_shares_have_one_name_everywhere(town: Any, lang: Lang) -> None:
    language.choose(lang)
    found = texts(town.figure())
    for share, words in indicators.SHORT_SHARES.items():
        assert [place for place, text in found.items() if words.of(lang) not in text] == []
        assert indicators.SHARES[share].zh == words.zh
        assert indicators.SHARES[share].of(lang) in boards(Edition(lang))


@pytest.mark.parametrize("lang", LANGS)
def test_a_reason_has_one_name_in_the_agent_the_figure_and_the_board(
    town: Any, capsys: Any, lang: Lang
) -> None:
    language.choose(lang)
    word = reasons.REASONS["loopback"].of(lang)
    assert word in texts(town.figure())["explain"]
    assert word in {one["text"] for m in mappings.reason_words(lang) if m["type"] == "value"
                    for one in m["options"].values()}  # fmt: skip
    test = LineTest(test="t", line="", outcome="ok", down_mbps=10.0, seconds=1.0, reason="loopback")
    assert word in str(list(agent_line._rows(test, 10.0)))


def test_what_an_inspection_names_is_the_column_of_the_report() -> None:
    named = set(sheets.INDICATORS.values())
    assert set(indicators.INDICATORS) <= named
    assert {indicators.SHORT[name].zh: name for name in named}.items() <= sheets.INDICATORS.items()
    assert {name: indicators.SHORT[name].zh for name in named} == sheets.INDICATORS_ZH
    assert dict(sheets.KINDS_ZH).items() <= {k: v.zh for k, v in devices.KINDS.items()}.items()


def _said(path: Path) -> Iterator[str]:
    """The texts of a module but its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def _vocabulary() -> set[str]:
    tables = [
        table
        for module in (devices, indicators, lines, reasons, states, verdicts)
        for table in vars(module).values()
        if isinstance(table, dict) and table and isinstance(next(iter(table.values())), Words)
    ]
    titles = [indicators.title(name).zh for name in indicators.INDICATORS]
    return {words.zh for table in tables for words in table.values()} | set(titles)


def test_no_module_writes_a_word_of_the_vocabulary_itself() -> None:
    known = _vocabulary() - OTHERWISE
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in SOURCES
        for text in _said(path)
        if text in known
    ]
    quoted = re.findall(r'"([^"]*)"', TEMPLATE.read_text("utf-8"))
    assert found + [text for text in quoted if text in known] == []


@pytest.mark.parametrize(
    "path",
    [*SOURCES, TEMPLATE, *(ROOT / "agent/common").rglob("*.py")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_is_called_by_a_former_name(path: Path) -> None:
    said = "\n".join(_said(path)) if path.suffix == ".py" else path.read_text("utf-8")
    assert re.findall(FORMER, said) == []


@pytest.mark.parametrize("lang", LANGS)
def test_no_board_calls_anything_by_a_former_name(lang: Lang) -> None:
    assert re.findall(FORMER, boards(Edition(lang))) == []


def test_an_english_page_has_no_chinese_punctuation(town: Any) -> None:
    """Of documents' titles the guillemets stay, as the names of places do."""
    language.choose("en")
    town.saw("103", (1,), simulated=True)
    page = report.render(town.figure(), "html").decode()
    page = re.sub("<style>.*?</style>", "", page, flags=re.DOTALL)
    assert re.findall("[、：；，。（）]", page) == []

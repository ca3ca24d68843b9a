"""The figure rendered: JSON, page, terminal, explanation."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from agent.common import language as lang
from agent.common.command_line import RefusedError
from agent.common.tables import width
from agent.common.vocabulary.indicators import INDICATORS
from agent.version import VERSION
from collector import report
from collector.report import explain, terminal

GOLD = Path(__file__).parent / "gold"


def page(figure: Any) -> str:
    return report.render(figure, "html").decode()


def printed(figure: Any) -> str:
    out = io.StringIO()
    terminal.show(figure, out)
    return out.getvalue()


def invented(town: Any) -> Any:
    town.saw("103", (1,), simulated=True)
    return town.figure()


def test_json_is_the_golden_one(town: Any) -> None:
    """Refresh: delete tests/collector/report/gold/figure.json, run, read the difference."""
    data = report.render(town.figure(), "json").replace(
        f'"version": "{VERSION}"'.encode(), b'"version": "*"'
    )
    gold = GOLD / "figure.json"
    if not gold.exists():
        gold.parent.mkdir(exist_ok=True)
        gold.write_bytes(data)
        pytest.fail(f"{gold} was missing and is now written: read it, then commit it")
    assert json.loads(data) == json.loads(gold.read_bytes())


@pytest.mark.parametrize("name", list(report.FORMATS))
def test_the_same_figure_is_the_same_bytes(town: Any, name: str) -> None:
    assert report.render(town.figure(), name) == report.render(town.figure(), name)


def test_json_counts_shares_and_settings(town: Any) -> None:
    tree = json.loads(report.render(town.figure(), "json"))
    city = tree["areas"][0]["indicators"]["multimedia"]
    assert (city["all"], city["verified"], city["contradicted"]) == (5, 1, 1)
    assert city["shares"]["verified"] == {"exact": "1/5", "percent": 20.0, "shown": "20.0%"}
    assert tree["settings"]["threshold_mbps"] == 10.0
    assert (tree["cutoff"], tree["version"]) == ("2026-12-31", VERSION)
    assert tree["watermark"] is None
    assert len(tree["units"]) == 5 + 3 + 3


class Page(HTMLParser):
    """What a browser would ask for, and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[str] = []
        self.places: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [value or "" for name, value in attrs if name in ("src", "href", "data")]
        self.places += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(figure: Any) -> Page:
    parser = Page()
    parser.feed(page(figure))
    return parser


def test_the_page_asks_for_nothing(town: Any) -> None:
    parser = read(town.figure())
    assert {link[1:] for link in parser.asked if link[0] == "#"} <= set(parser.places)
    assert [link for link in parser.asked if link[0] != "#"] == []
    assert not {"link", "img", "iframe"} & set(parser.tags)
    assert not re.search(
        r"@import|url\((?!#hatch\))|https?://|fetch\(|import\(", page(town.figure())
    )


def test_the_page_shows_all_that_belongs_together(town: Any) -> None:
    text = " ".join(read(town.figure()).text.split())
    for part in (
        "核实率", "上报率", "上限", "未知", "对照 2020 年目标", "登记接入带宽", "不计容差的核实率",
        "示例0001", "教学点 1", "城中区", "负责人", "办法摘要", "回环接口，不是有线线路 1 次",
    ):  # fmt: skip
        assert part in text, part


def test_a_chart_of_a_bar_an_indicator(town: Any) -> None:
    chart = page(town.figure()).split('<svg class="chart"')[1].split("</svg>")[0]
    for kind in ("solid", "hatched", "ceiling"):
        assert chart.count(f'<rect class="{kind}"') == len(INDICATORS) + 1  # and one in the legend
    assert chart.count('<line class="goal"') == len(INDICATORS) + 1


def test_bars_are_as_long_as_the_shares(town: Any) -> None:
    chart = page(town.figure()).split('<svg class="chart"')[1].split("</svg>")[0]
    widths = {
        kind: [
            float(width)
            for width in re.findall(rf'<rect class="{kind}" [^>]*width="([\d.]+)"', chart)
        ][1:]
        for kind in ("track", "solid", "ceiling")
    }
    full = widths["track"][0]
    assert [round(width / full, 3) for width in widths["solid"]] == [0.2, 0.667, 0.333]


def test_no_units_draw_no_bar(new_town: Any) -> None:
    town = new_town()
    chart = page(town.figure()).split('<svg class="chart"')[1].split("</svg>")[0]
    assert chart.count('<rect class="solid"') == 1
    assert "核实率 —" in chart


def test_each_contradicted_class_has_its_own_reason(town: Any) -> None:
    town.taught("五班", town.room("105", computer=1, projector=1))
    town.inspected("multimedia", 40, False, unit="五班")
    html = page(town.figure())
    assert "二班：教室 102" in html
    assert "五班：现场核查" in html


def test_names_are_text_not_markup(town: Any) -> None:
    town.school("9901020009", name="<script>alert(1)</script>&")
    html = page(town.figure())
    assert html.count("<script") == 1  # the filters'
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in html


@pytest.mark.parametrize("render", [page, printed], ids=["html", "terminal"])
def test_watermark_only_where_invented(town: Any, render: Any) -> None:
    assert "模拟数据" not in render(town.figure())
    assert render(invented(town)).count("模拟数据") >= 3


def test_watermark_of_json_and_explanation(town: Any) -> None:
    figure = invented(town)
    assert json.loads(report.render(figure, "json"))["watermark"] == "模拟数据"
    assert explain.as_json(figure, town.code)["watermark"] == "模拟数据"
    lines = list(explain.text(figure, town.code))
    assert "模拟数据" in lines[0]
    assert "模拟数据" in lines[-1]


def test_watermark_is_chinese_in_english_too(town: Any) -> None:
    lang.choose("en")
    figure = invented(town)
    assert "模拟数据" in page(figure)
    assert "模拟数据" in printed(figure)


@pytest.mark.parametrize("render", [page, printed], ids=["html", "terminal"])
def test_english(town: Any, render: Any) -> None:
    lang.choose("en")
    text = render(town.figure())
    assert "compared with the target of 2020" in text
    assert not re.search("核实率|上报率|未知", text)


def test_pass_or_fail_in_the_target_s_own_year(town: Any) -> None:
    town.cutoff = town.cutoff.replace(year=2020)
    text = printed(town.figure())
    assert "对照" not in text
    assert "✗" in text
    assert "未达标" in page(town.figure())
    town.cutoff = town.cutoff.replace(year=2026)
    assert "✗" not in printed(town.figure())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [None, 80])
def test_the_terminal_keeps_its_columns(
    town: Any, monkeypatch: Any, language: Any, width: int | None
) -> None:
    lang.choose(language)
    if width:
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
        monkeypatch.setenv("COLUMNS", str(width))
    town.school("9901020009", responsible="大通回族土族自治县")
    text = printed(town.figure())
    assert "…" not in text
    heads = ("目标", "核实率", "上报率", "上限", "未知", "全部")
    if language == "en":
        heads = ("target", "verified", "reported", "ceiling", "unknown", "all")
    assert all(word in text for word in heads)
    assert "大通回族土族自治县" in text
    assert ("实测 " in text or "ver." in text) == (width is None)
    assert "示例0001" not in text


def test_sentences_are_wrapped_by_characters(town: Any, monkeypatch: Any) -> None:
    """rich would break a Chinese sentence at its only space, far from the margin."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    lines = re.sub("\x1b[^m]*m", "", printed(town.figure())).splitlines()
    first = next(line for line in lines if line.startswith("登记接入带宽"))
    assert 70 <= width(first.rstrip()) <= 80
    assert "10M 以上带宽接入比例（对照 2020 年目标）" in " ".join(lines)


def test_a_name_in_brackets_is_printed_as_it_is(town: Any) -> None:
    town.school("9901020009", responsible="[bold]区[/bold]")
    assert "[bold]区[/bold]" in printed(town.figure())


def test_explanation_names_rules_and_numbers(town: Any) -> None:
    text = "\n".join(explain.text(town.figure(), town.code))
    for part in (
        "截止日 2026-12-31", "窗口 2026-11-20 至 2026-12-31", "30 天",
        "3 天看到计算机和显示设备（要求至少 3 天）", "3 天没有显示设备（满 3 天为缺）",
        "同一小时内至少需要 32 台同时在线；窗口内最多同时 36 台（2026-12-26）",
        "10 次、5 天", "9.80 Mbit/s，门限 9.7", "达标有赖于容差", "回环接口，不是有线线路 1 次",
        "台账合同带宽", "结论：与申报不符",
    ):  # fmt: skip
        assert part in text, part


def test_explanation_in_english_has_no_chinese_sentence(town: Any) -> None:
    lang.choose("en")
    text = "\n".join(explain.text(town.figure(), town.code))
    assert "at least 3 needed" in text
    assert not re.search("窗口|台账|要求", text)


def test_explanation_for_machines(town: Any) -> None:
    tree: Any = explain.as_json(town.figure(), town.code)
    assert [area["code"] for area in tree["areas"]] == [town.code]
    line = next(unit for unit in tree["units"] if unit["indicator"] == "line")
    numbers = next(step["numbers"] for step in line["steps"] if step["rule"] == "line")
    assert (numbers["quiet_tests"], numbers["statistic_mbps"], numbers["limit_mbps"]) == (
        10,
        9.8,
        9.7,
    )


@pytest.mark.parametrize("code", ["9901030002", "1234567890"])
def test_explanation_of_what_does_not_count(town: Any, code: str) -> None:
    with pytest.raises(RefusedError):
        list(explain.text(town.figure(), code))


def test_write_all_or_what_stood_before(town: Any, tmp_path: Path, monkeypatch: Any) -> None:
    figure = town.figure()
    files = report.write(figure, tmp_path / "out", ("html", "json"))
    assert [path.name for path in files] == ["schoolpulse-2026.html", "schoolpulse-2026.json"]
    before = {path: path.read_bytes() for path in files}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        report.write(invented(town), tmp_path / "out", ("html", "json"))
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_nothing_is_written_where_a_format_cannot_be_rendered(town: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        report.write(town.figure(), tmp_path / "out", ("html", "pptx"))
    assert not (tmp_path / "out").exists()

"""One district, one school, or each that has something to do."""

from __future__ import annotations

from typing import Any

import pytest

from agent.common.command_line import RefusedError
from collector import report
from collector.report import caveats
from collector.report.actions import plan
from collector.report.context import Context, Selection
from collector.report.parts import parts
from collector.report.selection import narrowed, resolved


@pytest.mark.parametrize("asked", ["630103", "城中区"])
def test_a_district_by_code_or_name(town: Any, asked: str) -> None:
    figure = town.figure()
    selection = resolved(figure, asked, "")
    part = narrowed(figure, selection)
    assert part.areas[0].name == "城中区"
    assert {unit.school for unit in part.units} == {"9901030001"}
    assert {line.school for line in part.lines} == {"9901030001"}
    assert dict(part.apart) == {"教学点": 1}


def test_city_run_schools_by_the_city_s_code(town: Any) -> None:
    town.school("9901020009", responsible="630100")
    figure = town.figure()
    part = narrowed(figure, resolved(figure, "630100", ""))
    assert [area.code for area in part.areas] == ["direct", "9901020009"]


def test_verdicts_and_tallies_are_the_city_s(town: Any) -> None:
    figure = town.figure()
    for area in figure.areas[1:]:
        selection = Selection(school=area.code) if area.level == "school" else Selection(area.code)
        part = narrowed(figure, selection)
        assert set(map(id, part.units)) <= set(map(id, figure.units))
        for indicator in ("multimedia", "computer_room", "line"):
            count = sum(unit.indicator == indicator for unit in part.units)
            assert count == part.tallies[area.code, indicator].all


def test_districts_are_parts_of_the_city(town: Any) -> None:
    figure = town.figure()
    districts = [area for area in figure.areas if area.level == "district"]
    found = [narrowed(figure, Selection(area=area.code)) for area in districts]
    assert sum(len(part.units) for part in found) == len(figure.units)
    assert sum(part.notes["lines"] for part in found) == figure.notes["lines"]
    deeds = [action for part in found for action in plan(part).actions]
    assert sorted(map(str, deeds)) == sorted(map(str, plan(figure).actions))


def test_what_only_judging_anew_would_tell_is_left_out(town: Any) -> None:
    figure = town.figure()
    assert any("不计容差" in line for line in caveats.sentences(figure))
    part = narrowed(figure, Selection(area="630102"))
    assert not any("不计容差" in line for line in caveats.sentences(part))


@pytest.mark.parametrize(("area", "school"), [("999999", ""), ("", "1234567890")])
def test_what_is_not_there_is_refused(town: Any, area: str, school: str) -> None:
    with pytest.raises(RefusedError, match=area or school):
        resolved(town.figure(), area, school)


@pytest.mark.parametrize("name", list(report.FORMATS))
@pytest.mark.parametrize("selection", [Selection("630102"), Selection(school="9901020002")])
def test_every_format_of_a_part(town: Any, name: str, selection: Selection) -> None:
    figure = narrowed(town.figure(), selection)
    context = Context(selection=selection)
    assert report.render(figure, name, context)
    assert selection.code in report.file_name(figure, name, context)


def test_each_that_has_something_to_do(town: Any) -> None:
    figure = town.figure()
    found = list(parts(figure))
    schools = {part.selection.school for part in found} - {""}
    assert schools == {action.school for action in plan(figure).actions}
    assert {part.selection.area for part in found} - {""} == {"630102", "630103"}
    assert {part.folder for part in found} == {"630102-城东区", "630103-城中区"}


def test_a_district_without_anything_to_do_has_no_folder(new_town: Any) -> None:
    town = new_town()
    town.school()
    town.inspected("line", 3, True)
    town.inspected("computer_room", 3, True)
    assert list(parts(town.figure())) == []


def test_no_name_leaves_the_folder(new_town: Any) -> None:
    town = new_town()
    town.school(responsible="../../etc")
    for part in parts(town.figure()):
        assert "/" not in part.folder
        assert "\\" not in part.folder

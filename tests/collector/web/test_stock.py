"""Devices are counted in the background: before that is done, no page says that none is broken."""

from __future__ import annotations

import pytest

from bystander import until
from collector.keeper.state import rule_for
from collector.roster.register import Register
from collector.web import stock as module
from collector.web.stock import Stock
from web_city import Place, Rig


def test_until_all_are_gone_through_nothing_found_is_not_said(rig: Rig) -> None:
    assert rig.site.stock().counting
    for path in ("/", "/faults"):
        text = rig.get(path).text
        assert "正在清点" in text
        assert "没有坏的或不见的设备" not in text
        assert "没有发现问题" not in text


def test_then_it_says_when(stocked: Rig) -> None:
    assert not stocked.site.stock().counting
    assert "正在清点" not in stocked.get("/faults").text
    assert "清点于" in stocked.get("/faults").text


def test_a_register_that_comes_later_is_gone_through_soon(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the pages start before the city's first import."""
    monkeypatch.setattr(module, "_AGAIN_S", 0.01)
    whole = Rig(place).site.register()
    asked: list[Register] = []

    def register() -> Register:
        asked.append(Register({}) if len(asked) < 3 else whole)
        return asked[-1]

    stock = Stock(place.store, register, rule_for(60))
    stock.rest = 0.0
    stock.start()
    try:
        until(lambda: len(asked) > 1, "a second look")
        until(lambda: not stock.found().counting, "every school gone through")
        assert stock.found().of == len(whole.schools)
    finally:
        stock.stop()


def test_a_city_that_is_being_written_is_not_said_to_be_without_faults(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.01)
    whole = Rig(place).site.register()
    # Two passes that begin while it is filled, one that ends so; then all is there.
    states = iter([True, True, False, True])
    stock = Stock(place.store, lambda: whole, rule_for(60), lambda: next(states, False))
    stock.rest = 0.0
    for _ in range(3):
        stock._pass()
        assert stock.found().counting
    stock._pass()
    assert not stock.found().counting

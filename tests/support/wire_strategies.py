"""Hypothesis strategies made from the wire's own types, so that a new field is tested too."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect


def messages_of(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that the type and its limits allow."""
    return _strategy(inspect.type_info(kind))


def _integers(info: inspect.IntType) -> st.SearchStrategy[int]:
    low = -(2**63) if info.ge is None else info.ge
    high = 2**63 - 1 if info.le is None else info.le
    return st.integers(low, high)


def _floats(info: inspect.FloatType) -> st.SearchStrategy[float]:
    low = info.ge if info.gt is None else info.gt
    return st.floats(
        low, info.le, allow_nan=False, allow_infinity=False, exclude_min=info.gt is not None
    )


def _strings(info: inspect.StrType) -> st.SearchStrategy[str]:
    if info.pattern:
        drawn = st.from_regex(info.pattern.replace("$", r"\Z"), fullmatch=True)
        return drawn.filter(lambda text: len(text) <= (info.max_length or len(text)))
    # A lone surrogate is no text: no JSON in UTF-8 can hold one.
    letters = st.characters(exclude_categories=["Cs"])
    return st.text(letters, max_size=min(info.max_length or 40, 40))


def _structs(info: inspect.StructType) -> st.SearchStrategy[Any]:
    fields = {field.name: _strategy(field.type) for field in info.fields}
    return st.builds(info.cls, **fields)


def _tuples(info: inspect.VarTupleType) -> st.SearchStrategy[Any]:
    return st.lists(_strategy(info.item_type), max_size=4).map(tuple)


_MAKERS: dict[type, Any] = {
    inspect.IntType: _integers,
    inspect.FloatType: _floats,
    inspect.StrType: _strings,
    inspect.StructType: _structs,
    inspect.VarTupleType: _tuples,
    inspect.TupleType: lambda info: st.tuples(*map(_strategy, info.item_types)),
    inspect.BoolType: lambda info: st.booleans(),
    inspect.NoneType: lambda info: st.none(),
    inspect.LiteralType: lambda info: st.sampled_from(info.values),
    inspect.UnionType: lambda info: st.one_of(*map(_strategy, info.types)),
    inspect.DateType: lambda info: st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31)),
    inspect.TimeType: lambda info: st.times(),
    inspect.FrozenSetType: lambda info: st.frozensets(_strategy(info.item_type), max_size=4),
    inspect.DictType: lambda info: st.dictionaries(
        _strategy(info.key_type), _strategy(info.value_type), max_size=3
    ),
}


def _strategy(info: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(info, inspect.Metadata):
        return _strategy(info.type)
    made: st.SearchStrategy[Any] = _MAKERS[type(info)](info)
    return made


def same(left: Any, right: Any) -> bool:
    """Equal as the wire sees it."""
    return msgspec.to_builtins(left) == msgspec.to_builtins(right)

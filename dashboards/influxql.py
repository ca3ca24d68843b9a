"""InfluxQL, written from names that `collector.schema` knows; any other name is refused.

SchemaError(ValueError): a measurement, tag or field that the store does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collector.schema import MEASUREMENTS, Measurement

#: Grafana replaces it by the time range of the board.
TIME = "$timeFilter"

#: For panels of the current state: the newest rows, whatever time range the board shows.
#: A day's row stands at its midnight, so the last 24 hours hold exactly one: today's.
TODAY, TWO_DAYS, RECENT = "time > now() - 1d", "time > now() - 36h", "time > now() - 3d"
WEEK = "time > now() - 8d"
MONTH, YEAR = "time > now() - 45d", "time > now() - 400d"


class Chosen(NamedTuple):
    """The values that a variable of the board chooses: one, or all of them."""

    variable: str


class ChosenAmong(NamedTuple):
    """The values that any of these variables chooses."""

    variables: Sequence[str]


class Beyond(NamedTuple):
    """A comparison with a number or with another field: `<`, `0.9`."""

    sign: str
    value: float | str


class Between(NamedTuple):
    """At least `low` and less than `high`."""

    low: float
    high: float


class Outside(NamedTuple):
    """Farther from 0 than this, on either side."""

    limit: str


class OneOf(NamedTuple):
    """Any of these values."""

    values: Sequence[str]


Test = str | bool | Chosen | ChosenAmong | Beyond | Between | Outside | OneOf
#: Conditions on tags and fields, by name.
Where = Mapping[str, Test]


#: Beyond any number of units: of an area without any, which has not met its target either.
NO_UNITS = 1_000_000_000
#: Units that an area lacks to its target, by a row of `indicator`; below 1, it is met. What a
#: share of a float leaves over is no unit. InfluxQL has no case: 0 divided by 0 is 0 there.
TO_GO = (
    'ceil("target" * "all" / 100 - 0.000001) - "verified" - "inspected"'
    f' + {NO_UNITS} - {NO_UNITS} * ("all" / "all")'
)


#: A field that every row of a measurement has.
_ALWAYS: Mapping[str, str] = {
    "indicator": "name", "machine_day": "reports", "device_day": "presence", "room_day": "missing",
    "line_day": "tests",
}  # fmt: skip


class SchemaError(ValueError):
    """A query has a name that the schema does not know."""


def retention(measurement: str) -> str:
    """The class of a measurement, which is also the name of its data source variable.

    Raises:
        SchemaError: there is no such measurement.
    """
    return _measurement(measurement).retention


def latest(
    measurement: str,
    fields: Mapping[str, str],
    where: Where,
    by: Sequence[str] = (),
    time: str = TIME,
    computed: Mapping[str, str] | None = None,
) -> str:
    """The newest point of each series of `by`, whole: fields as {name: heading}.

    `computed`: expressions over its fields as {heading: expression}. A point is read whole, not
    field by field with last(): a field that the newest point lacks must show as missing, not as
    the value of some day before. With `by`, the one last() is of a field that every row has, and
    the other columns are that row's: on openGemini LIMIT counts the rows of all series together.
    """
    always = _always(measurement, fields) if by else ""
    found = [
        f'last("{name}") AS "{alias}"' if name == always else f'"{name}" AS "{alias}"'
        for name, alias in fields.items()
    ]
    found += [f'{expression} AS "{heading}"' for heading, expression in (computed or {}).items()]
    head = _from(measurement, ", ".join(found), fields, where, by, time)
    return head if by else f"{head} ORDER BY time DESC LIMIT 1"


def _always(measurement: str, fields: Mapping[str, str]) -> str:
    name = _ALWAYS.get(measurement, "")
    if name not in fields:
        raise SchemaError(f"{measurement}: the newest rows need a field that every row has: {name}")
    return name


def how_many(column: str, inner: str, alive: str) -> str:
    """How many rows `inner` returns, and 0 where it returns none while `alive` returns any.

    InfluxQL counts nothing and no data alike: with no row. `alive` is a query of whatever is
    written as long as data come in, its column `alive`. The greatest of the rows is the answer.
    """
    counted = f'SELECT count("{column}") AS "n" FROM ({inner})'  # noqa: S608 - our own names
    nothing = f'SELECT count("alive") * 0 AS "n" FROM ({alive})'  # noqa: S608 - our own names
    return f'SELECT sum("n") AS "n" FROM ({counted}), ({nothing})'  # noqa: S608 - our own names


def rows(
    measurement: str,
    columns: Sequence[str],
    where: Where,
    time: str = TIME,
    tail: str = "",
) -> str:
    """Single points: fields and tags as columns."""
    _known(measurement, columns)
    head = _from(measurement, ", ".join(map(_name, columns)), {}, where, (), time)
    return f"{head} {tail}".strip()


def each(
    measurement: str,
    function: str,
    fields: Mapping[str, str],
    where: Where,
    by: Sequence[str] = (),
    time: str = TIME,
    every: str = "",
) -> str:
    """One function of each field, for each series of `by` and, if given, each stretch of time."""
    columns = ", ".join(f'{function}("{name}") AS "{alias}"' for name, alias in fields.items())
    head = _from(measurement, columns, fields, where, (), time)
    groups = [_name(tag) for tag in _tags(measurement, by)]
    groups += [f"time({every})"] if every else []
    head += f" GROUP BY {', '.join(groups)}" if groups else ""
    return f"{head} fill(none)" if every else head


def moving(
    measurement: str, fields: Mapping[str, str], where: Where, by: Sequence[str], rows: int,
    time: str,
) -> str:  # fmt: skip
    """The mean of so many rows one after the other, for each series of `by`."""
    columns = ", ".join(
        f'moving_average("{name}", {rows}) AS "{alias}"' for name, alias in fields.items()
    )
    return _from(measurement, columns, fields, where, by, time)


def over(columns: str, inner: str, where: str = "", by: Sequence[str] = (), tail: str = "") -> str:
    """A query over the result of another; `columns` name the headings of the inner one."""
    text = f"SELECT {columns} FROM ({inner})"  # noqa: S608 - our own names
    text += f" WHERE {where}" if where else ""
    text += f" GROUP BY {', '.join(map(_name, by))}" if by else ""
    return f"{text} {tail}".strip()


def newest(
    measurement: str,
    text: str,
    also: Sequence[str],
    values: Sequence[str],
    by: Sequence[str],
    where: Where,
    time: str = YEAR,
) -> str:
    """The newest point of each `by` whose `text` is one of `values`, with other columns.

    All bounds of time belong here: one in a question `over` this would be asked of these points
    too, and what ended after it would seem to last.
    """
    _known(measurement, [text, *by, *also])
    columns = ", ".join([f'last("{text}") AS "{text}"', *map(_name, also)])
    tests: Where = {**where, text: OneOf(values)}
    head = _from(measurement, columns, {}, tests, (), time)
    return f"{head} GROUP BY {', '.join(map(_name, by))}"


def names(text: str) -> set[str]:
    """The quoted names of a query that are not headings given in it."""
    headings = set(re.findall(r'AS "([^"]*)"', text))
    return set(re.findall(r'"([^"]+)"', text)) - headings


def series(
    measurement: str, fields: Mapping[str, str], where: Where, by: Sequence[str] = ()
) -> str:
    """The last value of each field in each interval of the board."""
    columns = ", ".join(f'last("{name}") AS "{alias}"' for name, alias in fields.items())
    head = _from(measurement, columns, fields, where, ())
    groups = ", ".join([*(f'"{tag}"' for tag in _tags(measurement, by)), "time($__interval)"])
    return f"{head} GROUP BY {groups} fill(none)"


def rate(measurement: str, fields: Mapping[str, str]) -> str:
    """How fast counters grow, per minute; a restart, which sets them to 0, is no drop.

    Asked of the last values' own query, as openGemini gives nothing for a derivative of an
    aggregate: so the first interval of the board has none.
    """
    columns = ", ".join(
        f'non_negative_derivative("{name}", 1m) AS "{alias}"' for name, alias in fields.items()
    )
    last = each(measurement, "last", {name: name for name in fields}, {}, every="$__interval")
    return over(columns, last)


def _from(
    measurement: str,
    columns: str,
    fields: Mapping[str, str],
    where: Where,
    by: Sequence[str],
    time: str = TIME,
) -> str:
    known = _measurement(measurement)
    for name in fields:
        if name not in known.fields:
            raise SchemaError(f"{measurement} has no field {name}")
    tests = [_equals(known, name, value) for name, value in where.items()]
    group = ", ".join(f'"{tag}"' for tag in _tags(measurement, by))
    wanted = " AND ".join([*tests, time])
    text = f'SELECT {columns} FROM "{measurement}" WHERE {wanted}'  # noqa: S608 - our own names
    return f"{text} GROUP BY {group}" if group else text


def _equals(known: Measurement, name: str, value: Test) -> str:
    _known(known.name, [name])
    if isinstance(value, Chosen):
        return f'"{name}" =~ /^(${{{value.variable}:regex}})$/'
    if isinstance(value, ChosenAmong):
        return f'"{name}" =~ /^({"|".join(f"${{{one}:regex}}" for one in value.variables)})$/'
    if isinstance(value, Beyond):
        return f'"{name}" {value.sign} {value.value}'
    if isinstance(value, Between):
        return f'"{name}" >= {value.low} AND "{name}" < {value.high}'
    if isinstance(value, Outside):
        return f'("{name}" > {value.limit} OR "{name}" < -{value.limit})'
    if isinstance(value, OneOf):
        return "(" + " OR ".join(f"\"{name}\" = '{one}'" for one in value.values) + ")"
    if isinstance(value, bool):
        return f'"{name}" = {str(value).lower()}'
    return f"\"{name}\" = '{value}'"


def _known(measurement: str, columns: Sequence[str]) -> None:
    known = _measurement(measurement)
    for name in columns:
        if name not in known.tags and name not in known.fields:
            raise SchemaError(f"{known.name} has neither tag nor field {name}")


def _name(name: str) -> str:
    return f'"{name}"'


def _tags(measurement: str, by: Sequence[str]) -> Sequence[str]:
    for tag in by:
        if tag not in _measurement(measurement).tags:
            raise SchemaError(f"{measurement} has no tag {tag}")
    return by


def _measurement(name: str) -> Measurement:
    if name not in MEASUREMENTS:
        raise SchemaError(f"no measurement {name}")
    return MEASUREMENTS[name]

"""InfluxQL, written from names that `collector.schema` knows; any other name is refused.

SchemaError(ValueError): a measurement, tag or field that the store does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.schema import MEASUREMENTS, Measurement

#: Grafana puts the time range of the board here.
TIME = "$timeFilter"

#: Tags and fields that must equal a value.
Where = Mapping[str, str | bool]


class SchemaError(ValueError):
    """A query names what the store does not hold."""


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
) -> str:
    """The newest point of each series of `by`, whole: fields as {name: heading}.

    A point is read whole, not field by field with last(): a field that the newest point lacks
    must show as missing, not as the value of some day before.
    """
    columns = ", ".join(f'"{name}" AS "{alias}"' for name, alias in fields.items())
    return f"{_from(measurement, columns, fields, where, by)} ORDER BY time DESC LIMIT 1"


def series(
    measurement: str, fields: Mapping[str, str], where: Where, by: Sequence[str] = ()
) -> str:
    """The last value of each field in each interval of the board."""
    columns = ", ".join(f'last("{name}") AS "{alias}"' for name, alias in fields.items())
    head = _from(measurement, columns, fields, where, ())
    groups = ", ".join([*(f'"{tag}"' for tag in _tags(measurement, by)), "time($__interval)"])
    return f"{head} GROUP BY {groups} fill(none)"


def rate(measurement: str, fields: Mapping[str, str]) -> str:
    """How fast counters grow, per minute; a restart, which sets them to 0, is no drop."""
    columns = ", ".join(
        f'non_negative_derivative(last("{name}"), 1m) AS "{alias}"'
        for name, alias in fields.items()
    )
    return f"{_from(measurement, columns, fields, {}, ())} GROUP BY time($__interval) fill(none)"


def _from(
    measurement: str,
    columns: str,
    fields: Mapping[str, str],
    where: Where,
    by: Sequence[str],
) -> str:
    known = _measurement(measurement)
    for name in fields:
        if name not in known.fields:
            raise SchemaError(f"{measurement} has no field {name}")
    tests = [_equals(known, name, value) for name, value in where.items()]
    group = ", ".join(f'"{tag}"' for tag in _tags(measurement, by))
    wanted = " AND ".join([*tests, TIME])
    text = f'SELECT {columns} FROM "{measurement}" WHERE {wanted}'  # noqa: S608 - our own names
    return f"{text} GROUP BY {group}" if group else text


def _equals(known: Measurement, name: str, value: str | bool) -> str:
    if name not in known.tags and name not in known.fields:
        raise SchemaError(f"{known.name} has neither tag nor field {name}")
    if isinstance(value, bool):
        return f'"{name}" = {str(value).lower()}'
    return f"\"{name}\" = '{value}'"


def _tags(measurement: str, by: Sequence[str]) -> Sequence[str]:
    for tag in by:
        if tag not in _measurement(measurement).tags:
            raise SchemaError(f"{measurement} has no tag {tag}")
    return by


def _measurement(name: str) -> Measurement:
    if name not in MEASUREMENTS:
        raise SchemaError(f"no measurement {name}")
    return MEASUREMENTS[name]

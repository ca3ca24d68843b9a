"""Points as line protocol. Pure.

Text made by hand: the client's Point objects cost several times as much. What cannot be
escaped at all (a control character or a last backslash in a tag) `check` has refused before.
"""

from __future__ import annotations

from collector.schema import MEASUREMENTS
from collector.store.seam import Point, Value

_IN_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_IN_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})
#: Sorted: the server sorts them otherwise.
_TAGS = {name: tuple(sorted(known.tags)) for name, known in MEASUREMENTS.items()}
_FLOATS = {
    name: frozenset(field.name for field in known.fields.values() if field.type == "float")
    for name, known in MEASUREMENTS.items()
}


def line(point: Point) -> bytes:
    """One line, without its end. Empty tags are left out.

    Raises:
        KeyError: the schema has no such measurement; see `check.sift`.
    """
    floats = _FLOATS[point.measurement]
    head = point.measurement
    for name in _TAGS[point.measurement]:
        tag = point.tags.get(name)
        if tag:
            head += f",{name}={tag.translate(_IN_TAG)}"
    fields = ""
    for name, value in point.fields.items():
        fields += f",{name}={float(value)!r}" if name in floats else f",{name}={_value(value)}"
    return f"{head} {fields[1:]} {point.time}".encode()


def _value(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_IN_TEXT)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}i"

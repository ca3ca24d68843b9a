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
    head = point.measurement
    for name in _TAGS[head]:
        tag = point.tags.get(name)
        if tag:
            # Nearly all are codes and ids: to translate one costs more than all the rest.
            head += f",{name}={tag if tag.isalnum() else tag.translate(_IN_TAG)}"
    floats = _FLOATS[point.measurement]
    fields = ",".join(
        [
            f"{name}={float(value)!r}" if name in floats else f"{name}={_value(value)}"
            for name, value in point.fields.items()
        ]
    )
    return f"{head} {fields} {point.time}".encode()


def _value(value: Value) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is not str:
        return f"{value}i"
    plain = '"' not in value and "\\" not in value
    return f'"{value if plain else value.translate(_IN_TEXT)}"'

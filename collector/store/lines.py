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
    fields = []
    for name, value in point.fields.items():  # no call for a number: they are nearly all
        kind = type(value)
        if kind is float or (kind is int and name in floats):
            fields.append(f"{name}={float(value)!r}")
        elif kind is int:
            fields.append(f"{name}={value}i")
        else:
            fields.append(f"{name}={_quoted(value)}")
    return f"{head} {','.join(fields)} {point.time}".encode()


def _quoted(value: Value) -> str:
    if not isinstance(value, str):
        return "true" if value else "false"
    plain = '"' not in value and "\\" not in value
    return f'"{value if plain else value.translate(_IN_TEXT)}"'

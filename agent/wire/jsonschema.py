"""The JSON Schema of the wire, generated from the types: `python -m agent.wire.jsonschema`."""

from __future__ import annotations

import sys

import msgspec

from agent.wire.messages import Message, Policy, Presence, Receipt

FILES = {"message": Message, "receipt": Receipt, "presence": Presence, "policy": Policy}


def schema(name: str) -> bytes:
    """The schema of one kind of message, as indented JSON with a final newline."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"schoolpulse v1 {name}",
        **msgspec.json.schema(FILES[name]),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(schema(sys.argv[1]))

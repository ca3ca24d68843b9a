"""What a policy may set for one scope: the city, a district, a school or a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

PerDay = Annotated[int, Meta(ge=0, le=96)]


class Layer(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The values that one scope sets; None: not set here, the wider scope's value counts."""

    #: http://host:port of the measurement server
    server: Annotated[str, Meta(max_length=256)] | None = None
    quiet_per_day: PerDay | None = None
    lesson_per_day: PerDay | None = None
    by_hand_per_day: Annotated[int, Meta(ge=0, le=1000)] | None = None
    max_seconds: Annotated[float, Meta(ge=8, le=60)] | None = None
    max_bytes: Annotated[int, Meta(ge=4_000_000, le=2_000_000_000)] | None = None
    month_bytes: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    metered: bool | None = None
    report_s: Annotated[int, Meta(ge=5, le=86_400)] | None = None
    #: What the collector takes from a school, see `collector.roster.limits`
    max_machines: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    max_reports: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None  # a minute
    max_kb: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None  # a minute


#: Values of a school as a whole, which a line cannot have.
OF_SCHOOL = ("report_s", "max_machines", "max_reports", "max_kb")
NAMES = Layer.__struct_fields__
Layers = Mapping[str, Layer]

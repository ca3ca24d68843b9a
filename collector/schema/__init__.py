"""Every measurement, tag and field that the store holds."""

from collector.schema.tables import MEASUREMENTS, TAGS
from collector.schema.types import Measurement, Type

__all__ = ["MEASUREMENTS", "TAGS", "Measurement", "Type"]

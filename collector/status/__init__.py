"""What hurts a city at a glance: each registered school's state, and what to do.

`read(config)` gives a `City`; it reads roll-ups and the last rows alone.
"""

from collector.status.model import City, Finding, Standing
from collector.status.reading import read

__all__ = ["City", "Finding", "Standing", "read"]

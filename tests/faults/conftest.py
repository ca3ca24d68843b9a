"""The matrix's modules are scripts: they find each other as `make faults` lets them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

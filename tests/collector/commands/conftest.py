"""What commands work on: a register as sheets, and a judged town on disk."""

from inventory_city import city, run, seen
from judged_town import fill, past_town
from register_sheets import folder, sheets, spoil, write
from typed import typed

__all__ = [
    "city", "fill", "folder", "past_town", "run", "seen", "sheets", "spoil", "typed", "write",
]  # fixtures  # fmt: skip

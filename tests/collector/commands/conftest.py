"""What commands work on: a register as sheets, a school's form, and a judged town on disk."""

from archive_side import side
from inspection_forms import desk
from inventory_city import city, run, seen
from judged_town import fill, past_town
from register_sheets import folder, sheets, spoil, write
from typed import typed

__all__ = [
    "city", "desk", "fill", "folder", "past_town", "run", "seen", "sheets", "side", "spoil",
    "typed", "write",
]  # fixtures  # fmt: skip

"""What commands work on: a register as sheets, and a judged town on disk."""

from judged_town import fill, past_town
from register_sheets import folder, sheets, spoil, write
from typed import typed

__all__ = ["fill", "folder", "past_town", "sheets", "spoil", "typed", "write"]  # fixtures

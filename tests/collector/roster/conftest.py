"""A good register as sheets, and ways to spoil it."""

from register_sheets import folder, sheets, spoil, write

__all__ = ["folder", "sheets", "spoil", "write"]  # fixtures

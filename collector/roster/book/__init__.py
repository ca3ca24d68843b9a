"""The stored register: every import, and the decisions, inspections, policies and mutes."""

from collector.roster.book.book import Import, RegisterBook
from collector.roster.book.file import BookError, DamagedBookError, NoRegisterError

__all__ = ["BookError", "DamagedBookError", "Import", "NoRegisterError", "RegisterBook"]

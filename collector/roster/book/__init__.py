"""The register as it is kept: every import, decisions, inspections and mutes beside it."""

from collector.roster.book.book import Import, RegisterBook
from collector.roster.book.file import BookError, DamagedBookError, NoRegisterError

__all__ = ["BookError", "DamagedBookError", "Import", "NoRegisterError", "RegisterBook"]

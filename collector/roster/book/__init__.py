"""The stored register: every import, and the decisions, inspections, policies and mutes."""

from collector.roster.book.book import RegisterBook
from collector.roster.book.file import BookError, DamagedBookError, NoRegisterError
from collector.roster.book.imports import Import

__all__ = ["BookError", "DamagedBookError", "Import", "NoRegisterError", "RegisterBook"]

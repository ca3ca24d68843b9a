"""A school whose credential is in wrong hands."""

from forged_reports import city

__all__ = ["city"]  # fixture

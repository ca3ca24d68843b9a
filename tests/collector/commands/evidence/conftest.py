"""The folder and its store."""

from removal_town import folder, store

__all__ = ["folder", "store"]  # fixtures

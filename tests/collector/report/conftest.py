"""A judged town, and a city side on disk that holds it."""

from judged_town import fill, new_town, past_town, town

__all__ = ["fill", "new_town", "past_town", "town"]  # fixtures

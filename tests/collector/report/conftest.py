"""A judged town, and a city side on disk that holds it."""

import re

import pytest

import services
from collector.report import fonts
from judged_town import fill, new_town, past_town, town

__all__ = ["fill", "new_town", "past_town", "town"]  # fixtures


@pytest.fixture(autouse=True)
def _font(request: pytest.FixtureRequest) -> None:
    """What draws text needs a Chinese font of this machine."""
    if re.search("pdf|png|fonts", request.node.nodeid):
        try:
            fonts.find()
        except fonts.FontError:
            services.missing("a Chinese font (fonts-noto-cjk)")

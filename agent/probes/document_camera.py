"""Tells document cameras from others by name, as USB has no class for them. Pure."""

from __future__ import annotations

import re
from typing import Literal

#: Words in the names of document cameras, or their makers.
_WORDS = re.compile(
    r"展台|展示台|高拍|实物投影|doc(ument)?[ _-]?cam|visuali[sz]er|ipevo|\belmo\b", re.IGNORECASE
)


def kind_of(maker: str, name: str) -> Literal["camera", "document_camera"]:
    """The kind of a camera by its maker and name; `camera` where they do not show it."""
    return "document_camera" if _WORDS.search(f"{maker} {name}") else "camera"

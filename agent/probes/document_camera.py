"""Which cameras look down at a desk: by their own words, as USB has no class for it. Pure."""

from __future__ import annotations

import re
from typing import Literal

#: What such cameras are called, in their names or their makers'.
_WORDS = re.compile(
    r"展台|展示台|高拍|实物投影|doc(ument)?[ _-]?cam|visuali[sz]er|ipevo|\belmo\b", re.IGNORECASE
)


def kind_of(maker: str, name: str) -> Literal["camera", "document_camera"]:
    """What a camera's words say that it is. One that calls itself `USB Camera` is a camera."""
    return "document_camera" if _WORDS.search(f"{maker} {name}") else "camera"

"""Types that several threads read for the first time at the same moment."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from agent.common import decoding

#: In a process of its own, as what goes wrong is a crash. Types as deep as our own, used by six
#: threads that change places at every step.
_RACE = """
import sys, threading
from typing import Annotated
import msgspec
from agent.common import decoding

sys.setswitchinterval(1e-6)
made = decoding.decode if sys.argv[1] == "text" else (
    lambda text, kind: decoding.convert(msgspec.json.decode(text), kind)
)
for _ in range(500):
    class Inner(msgspec.Struct, frozen=True):
        x: Annotated[int, msgspec.Meta(ge=0)] = 0

    class Outer(msgspec.Struct, frozen=True):
        a: "tuple[Inner, ...]" = ()
        b: "dict[str, list[Inner]]" = {}

    gate, found = threading.Barrier(6), []

    def read():
        gate.wait()
        found.append(made(b'{"a":[{"x":1}],"b":{"q":[{"x":2}]}}', Outer))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [Outer((Inner(1),), {"q": [Inner(2)]})] * 6
print("done")
"""


@pytest.mark.parametrize("way", ["text", "tree"])
def test_a_type_is_read_by_several_threads_at_once(way: str) -> None:
    argv = [sys.executable, "-c", _RACE, way]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr


def test_what_does_not_fit_is_told_as_by_msgspec() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected `int`, got `str` - at `\$\[1\]`"):
        decoding.decode(b'[1,"2"]', list[int])
    with pytest.raises(msgspec.ValidationError, match="Expected `int`"):
        decoding.convert("2", int)
    assert decoding.convert("2", int, strict=False) == 2
    with pytest.raises(msgspec.DecodeError):
        decoding.decode(b"[", list[int])

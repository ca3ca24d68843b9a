"""The versions of the method: how the figure is made of its inputs.

An archive names the method that made it. A change of the rules that could change one verdict gets
the next number; the modules that judged until then are kept beside the new ones and stay in
`METHODS`, so that every archive can be judged again as it was. The golden archives of the tests
hold this.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.common.language import say
from collector.archive.errors import ArchiveError
from collector.archive.inputs import Inputs
from collector.compliance.figure import judge
from collector.compliance.model import Figure

#: The method in force, of every archive that is written.
METHOD = 1


def _first(inputs: Inputs) -> Figure:
    """Method 1: the rules of `collector.compliance`."""
    return judge(
        inputs.register,
        inputs.evidence,
        inputs.settings,
        inputs.city,
        year=inputs.year,
        today=inputs.cutoff,
    )


METHODS: dict[int, Callable[[Inputs], Figure]] = {1: _first}


def judged(inputs: Inputs, method: int) -> Figure:
    """The figure by a method, at the inputs' cut-off.

    Raises:
        ArchiveError: this version does not know the method.
    """
    if method not in METHODS:
        known = ", ".join(map(str, METHODS))
        raise ArchiveError(
            say(
                f"存档用的是方法 {method}，本版本只认识 {known}；请升级 SchoolPulse",
                f"the archive was made by method {method}, this version knows {known}: "
                "use a newer SchoolPulse",
            )
        )
    return METHODS[method](inputs)

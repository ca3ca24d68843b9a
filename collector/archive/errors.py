"""The errors of archives.

ArchiveError            an archive cannot be read or made; the message names the file and the fix
└── DamagedError        a file is not, or no longer, what `freeze` wrote
"""

from __future__ import annotations

from agent.common.command_line import RefusedError


class ArchiveError(RefusedError):
    """An archive cannot be read, or cannot be made; the message says why, and the fix."""


class DamagedError(ArchiveError):
    """The file is not what `freeze` wrote; the message names the part."""

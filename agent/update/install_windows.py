"""Windows: the service may install nothing, so it leaves a request and starts the one that may.

That is the service `SchoolPulseUpdate` (agent.service.update_service), which checks all of it anew.
Its folder lies beside the program's, where only administrators can write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.update import install_linux
from agent.windows import advapi

UPDATER = "SchoolPulseUpdate"
#: Rights to a service: to ask for its state, to start it.
QUERY, START = 0x4, 0x10
_CONNECT = 0x1


def own_folder(program: Path) -> Path:
    """The updater's folder; `program`: the agent's."""
    return program.with_name(f"{program.name}-update")


class Installer(install_linux.Installer):
    """Leaves the request as on Linux, and starts the updater, which takes no file of ours away."""

    platform = "windows"

    def __init__(self, folder: Path, program: Path | None = None) -> None:
        """`folder`: `update` of the data folder; `program`: that of the frozen program."""
        super().__init__(folder, own_folder(program or Path(sys.executable).parent))

    def ready(self) -> bool:
        """Whether the updater is installed, and may be started by this account."""
        try:
            return _updater(QUERY | START, start=False)
        except (OSError, advapi.ServiceError):
            return False

    def install(self, file: Path, manifest: bytes, version: str) -> None:
        """Leave the request, and start the updater. Raises OSError."""
        super().install(file, manifest, version)
        try:
            _updater(START, start=True)
        except advapi.ServiceError as error:
            raise OSError(str(error)) from error

    def confirm(self, version: str) -> None:
        """Tell the updater that this version works. Raises OSError."""
        super().confirm(version)
        self._forget_request()

    def outcome(self, version: str) -> str:
        """Why a version was not installed, or was taken back; empty: not known."""
        self._forget_request()
        return super().outcome(version)

    def _forget_request(self) -> None:
        (self._folder / install_linux.REQUEST).unlink(missing_ok=True)


def _updater(rights: int, *, start: bool) -> bool:
    """Whether there is one with these rights for us. Raises ServiceError: it does not start."""
    with advapi.manager(_CONNECT) as (api, handle):
        service = api.OpenServiceW(handle, UPDATER, rights)
        if not service:
            if start:
                raise advapi.ServiceError("OpenService")
            return False
        with advapi.closing(api, service):
            done = not start or api.StartServiceW(service, 0, None)
            if not done and advapi.last_error() != advapi.RUNS:
                raise advapi.ServiceError("StartService")
    return True

"""Systems on which an agent cannot replace itself: it says so, and installs nothing."""

from __future__ import annotations

from pathlib import Path


class Installer:
    """Refuses."""

    platform = "linux"

    def ready(self) -> bool:
        """Never."""
        return False

    def install(self, file: Path, manifest: bytes, version: str) -> None:
        """Raises OSError always."""
        raise OSError(f"{file}: {version} cannot be installed here")

    def confirm(self, version: str) -> None:
        """Nothing was installed, so nothing is to be confirmed."""

    def outcome(self, version: str) -> str:
        """No installation was asked for."""
        return "no_installer" if version else ""

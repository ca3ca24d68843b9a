"""The one error of settings and of the secrets that they name."""


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the file or key, and the fix."""

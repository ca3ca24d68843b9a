"""The one place that holds the version of the package."""

VERSION = "0.2.0"
#: The year of its release: what is dated later than the year after it, a device cannot be.
RELEASED = 2026

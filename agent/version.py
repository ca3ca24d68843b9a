"""The one place that holds the version of the package."""

VERSION = "0.2.0"

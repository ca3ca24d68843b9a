"""The register's sheets: read, checked and written."""

from collector.roster.problems import Problem
from collector.roster.sheets.layout import INSPECTIONS, SHEETS
from collector.roster.sheets.reader import errors, hashes, read_folder, read_table, warnings

__all__ = [
    "INSPECTIONS",
    "SHEETS",
    "Problem",
    "errors",
    "hashes",
    "read_folder",
    "read_table",
    "warnings",
]

"""The register's sheets: read, checked and written."""

from collector.roster.problems import Problem, errors, warnings
from collector.roster.sheets.bookwriting import book_name, write_book
from collector.roster.sheets.difference import Change, Edit, difference, removals
from collector.roster.sheets.layout import DECISIONS, INSPECTIONS, SHEETS
from collector.roster.sheets.parts import Excerpt
from collector.roster.sheets.reader import hashes, read_folder, read_table
from collector.roster.sheets.writing import write_folder, write_template

__all__ = [
    "DECISIONS",
    "INSPECTIONS",
    "SHEETS",
    "Change",
    "Edit",
    "Excerpt",
    "Problem",
    "book_name",
    "difference",
    "errors",
    "hashes",
    "read_folder",
    "read_table",
    "removals",
    "warnings",
    "write_book",
    "write_folder",
    "write_template",
]

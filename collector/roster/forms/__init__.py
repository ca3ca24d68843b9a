"""The form that is filled in at a school: written from the register, read back, compared."""

from __future__ import annotations

from collector.roster.forms.compare import Comparison, compare
from collector.roster.forms.content import Form, form_of
from collector.roster.forms.reading import read_form
from collector.roster.forms.writing import file_name, write_form

__all__ = ["Comparison", "Form", "compare", "file_name", "form_of", "read_form", "write_form"]

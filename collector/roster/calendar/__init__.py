"""The calendar apart from the other sheets: read from ics, CSV or a workbook, and how long it
lasts."""

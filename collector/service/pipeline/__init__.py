"""The way of a report: inbox, sorter, storer, receipt."""

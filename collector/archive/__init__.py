"""Frozen years: archives that are written once, verified by themselves, and added up."""

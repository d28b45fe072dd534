"""Rosterflow keeps learning systems in step with student systems."""

__version__ = "0.1.0"

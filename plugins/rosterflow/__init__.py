"""Rosterflow keeps learning systems in step with student systems."""

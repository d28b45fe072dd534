"""A synthetic Norwegian university: its structure, generated from a seed, and the days of change played on it."""

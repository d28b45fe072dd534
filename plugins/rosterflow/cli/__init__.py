"""The command line: ``python -m rosterflow``."""

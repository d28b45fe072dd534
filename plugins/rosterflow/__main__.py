"""``python -m rosterflow``: see :mod:`rosterflow.cli.app`."""

from __future__ import annotations

from rosterflow.cli.app import main

if __name__ == "__main__":
    main()

"""What can go wrong while the local stack runs, in one line for the person at the terminal."""

from __future__ import annotations

from pathlib import Path


class DemoError(Exception):
    """The stack cannot go on; the message is one sentence, `log` the file whose tail explains it (or None)."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        """Keep the sentence and the log beside it."""
        super().__init__(message)
        self.log = log


def log_tail(log: Path, lines: int = 30) -> str:
    """Return the last `lines` lines of a log, or an empty text when it was never written."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

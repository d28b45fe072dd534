"""What every importer of rows needs: the Canvas, the right to write, a place for warnings, and reading of values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.canvas.objects import Write
    from sandbox.canvas.sis.importers.role_finder import RoleFinder
    from sandbox.canvas.sis.upload import Row
    from sandbox.canvas.state import Canvas


class RowRejected(Exception):
    """The row is not imported; the message is the warning Canvas gives."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import's means for one chunk of rows; `warn` records a warning about the row that is being read.

    `user_id` is who sent the import, `roles` finds the roles its rows name.
    """

    canvas: Canvas
    by: Write
    skip_deletes: bool
    warn: Callable[[str], None]
    roles: RoleFinder
    user_id: int | None = None
    takes_claimed_logins: bool = False

    def dates(self, row: Row, complaint: str) -> tuple[datetime | None, datetime | None]:
        """The row's start_date and end_date; one that cannot be read warns once and is treated as empty."""
        try:
            return parse_date(row.get("start_date")), parse_date(row.get("end_date"))
        except ValueError:
            self.warn(complaint)
            return None, None


def status_of(row: Row, *allowed: str) -> str | None:
    """The allowed status the row's begins with, whatever its case; None when it is none of them."""
    given = (row.get("status") or "").lower()
    return next((status for status in allowed if given.startswith(status)), None)


def parse_date(text: str | None) -> datetime | None:
    """A timestamp in UTC, without a zone taken as UTC; raises ValueError when it cannot be read."""
    return _parse_date(text) if text else None


@lru_cache(maxsize=4096)
def _parse_date(text: str) -> datetime:
    text = re.sub(r"\s+(UTC|GMT)$", "Z", text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = parsedate_to_datetime(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)

"""What one read of the export gave, school by school and page by page (issue 5, §5.1)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from rosterflow.domain.attendance.ledger import ReadOf
from rosterflow.domain.attendance.records import TimeRecord


class KeptPage(msgspec.Struct, frozen=True):
    """One page of the export as it came, kept as evidence.

    :param number: counted from 1 within the read.
    :param name: of the blob in the page store that holds its bytes unchanged.
    :param sha256: of these bytes, in hexadecimal.
    :param size: how many bytes.
    :param rows: how many records it holds, usable or not.
    """

    number: int
    name: str
    sha256: str
    size: int
    rows: int


class KeptRead(msgspec.Struct, frozen=True):
    """A read of one school, as the task that read hands it on: where its pages are, and what is missing of it.

    :param alias: what the auth key is called (``1-1``).
    :param school: CourseKey's School ID.
    :param zone: name of the zone in which the school's days are.
    :param read_at: when the export was asked; one moment for the whole read.
    :param first: first day asked for.
    :param last: last day asked for, inclusive.
    :param gaps: why it is not whole, one sentence each: a page that did not come, or came empty.
    :param number: its number in ``attendance_raw``; 0 before it is kept there.
    """

    alias: str
    school: str
    zone: str
    read_at: datetime
    first: date
    last: date
    pages: tuple[KeptPage, ...] = ()
    gaps: tuple[str, ...] = ()
    number: int = 0

    @property
    def tz(self) -> ZoneInfo:
        """The zone."""
        return ZoneInfo(self.zone)

    @property
    def rows(self) -> int:
        """How many records came, usable or not."""
        return sum(page.rows for page in self.pages)

    def read_of(self, run: int, gaps: tuple[str, ...] = ()) -> ReadOf:
        """What the ledger is told of it.

        :param gaps: those that were found when its pages were opened (:class:`OpenedPage`).
        """
        return ReadOf(run, self.read_at, self.first, self.last, not self.gaps and not gaps)


class OpenedPage(msgspec.Struct, frozen=True, gc=False):
    """The records of one page.

    :param problems: malformed records, one sentence each by page, place and field, without a value of it. What is
        known of such a record is among ``records`` with the status ``UNREADABLE``: it was seen, so it is not gone.
    :param gaps: why the page is not whole: a malformed record of which it cannot even be said whose it is.
    """

    number: int
    records: tuple[TimeRecord, ...]
    problems: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

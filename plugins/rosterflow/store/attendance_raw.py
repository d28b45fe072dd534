"""The evidence: which reads of the export there were, and where the pages of each are kept unchanged (issue 5, §5.1).

The pages themselves are blobs in the page store; with them, and in the order of the reads, the ledger can be built
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from rosterflow.domain.attendance.reading import KeptPage, KeptRead
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store.attendance_tables import attendance_raw

BELOW = "attendance"
"""The folder of the page store that all evidence is below, then by institution and school."""


class Joined(NamedTuple):
    """A read that came into the ledger.

    :param is_whole: whether what it does not have was taken to be gone.
    """

    read: KeptRead
    run: int
    is_whole: bool


def keep(connection: Connection, institution: str, run: int, read: KeptRead) -> KeptRead:
    """Write down a read; it comes back with its number."""
    made = connection.execute(
        attendance_raw.insert().values(
            institution=institution,
            run=run,
            alias=read.alias,
            school=read.school,
            zone=read.zone,
            read_at=read.read_at,
            first=read.first,
            last=read.last,
            pages=msgspec.to_builtins(read.pages),
            gaps=list(read.gaps),
        )
    )
    key = made.inserted_primary_key
    assert key is not None
    return msgspec.structs.replace(read, number=int(key[0]))


def joined(connection: Connection, number: int, is_whole: bool, now: datetime) -> None:
    """Write down that a read came into the ledger, and whether as a whole one; again when its voids are approved."""
    mine = update(attendance_raw).where(attendance_raw.c.id == number)
    connection.execute(mine.values(joined_at=now, joined_whole=is_whole))


def joined_reads(connection: Connection, institution: str, school: str | None = None) -> Iterator[Joined]:
    """Every read that came into the ledger, oldest first; one that a task made again before that is not among them."""
    query = select(attendance_raw).where(
        attendance_raw.c.institution == institution, attendance_raw.c.joined_at.is_not(None)
    )
    if school is not None:
        query = query.where(attendance_raw.c.school == school)
    for row in connection.execute(query.order_by(attendance_raw.c.read_at, attendance_raw.c.id)):
        yield Joined(_read(row), row.run, row.joined_whole)


def read_numbered(connection: Connection, institution: str, number: int) -> KeptRead:
    """The read with a number.

    :raises FatalError: ``rows-missing`` when it was not kept, or is not any more.
    """
    mine = (attendance_raw.c.institution == institution) & (attendance_raw.c.id == number)
    row = connection.execute(select(attendance_raw).where(mine)).first()
    if row is None:
        raise FatalError(Code.ROWS_MISSING, f"{institution} keeps no read {number} of the export (any more).")
    return _read(row)


def is_joined(connection: Connection, number: int) -> bool:
    """Whether a read came into the ledger."""
    query = select(attendance_raw.c.joined_at).where(attendance_raw.c.id == number)
    return connection.execute(query).scalar() is not None


def last_whole_day(connection: Connection, institution: str, school: str, since: date = date.min) -> date | None:
    """The last day up to which a school was read whole into the ledger without a hole; ``None`` when it never was.

    :param since: holes before this day are not looked for.
    """
    columns = attendance_raw.c
    of_school = (columns.institution == institution) & (columns.school == school) & columns.joined_whole
    windows = select(columns.first, columns.last).where(of_school).distinct().order_by(columns.first, columns.last)
    reached: date | None = None
    for first, last in connection.execute(windows):
        if reached is not None and first > max(reached + timedelta(days=1), since):
            break
        reached = last if reached is None else max(reached, last)
    return reached


def purge(connection: Connection, institution: str, before: datetime) -> int:
    """Forget the reads from before a moment; how many there were. Their blobs are swept by age (:data:`BELOW`)."""
    of_college = attendance_raw.c.institution == institution
    return connection.execute(delete(attendance_raw).where(of_college, attendance_raw.c.read_at < before)).rowcount


def _read(row: Row[Any]) -> KeptRead:
    return KeptRead(
        alias=row.alias,
        school=row.school,
        zone=row.zone,
        read_at=row.read_at,
        first=row.first,
        last=row.last,
        pages=msgspec.convert(row.pages, tuple[KeptPage, ...]),
        gaps=tuple(row.gaps),
        number=row.id,
    )

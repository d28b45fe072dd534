"""Reading the time attended at the schools of one auth key, and opening what was read (issue 5, §5.1).

Each page is kept unchanged before the next is asked for: it is the evidence of every minute that is booked. A page that
does not come makes its school's read one that is not whole, and no error: what came is imported, and nothing is voided.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from rosterflow.domain.attendance.reading import KeptPage, KeptRead, OpenedPage
from rosterflow.domain.attendance.records import TimeRecord
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.sites import School
from rosterflow.domain.errors import Code, FatalError, RosterflowError
from rosterflow.hooks.coursekey_export import CourseKeyExportHook, RawPage
from rosterflow.store import attendance_raw
from rosterflow.store.engine import Store
from rosterflow.sync.pages import PageStore
from rosterflow.wire.coursekey_export import EXPORT, ExportProfile, Opening


class AuthKey(NamedTuple):
    """One auth key with its schools.

    :param connection: Airflow connection that holds the key.
    :param schools: every school of it, once.
    """

    connection: str
    schools: tuple[School, ...]

    @property
    def aliases(self) -> str:
        """What people call it: the pairs of CRSKEYAUTH that name it, ``1-1, 1-2``."""
        return ", ".join(school.alias for school in self.schools)


def auth_keys(college: College) -> tuple[AuthKey, ...]:
    """The auth keys of a college, in the order of CRSKEYAUTH; a school with several sites is read once."""
    schools: dict[str, dict[str, School]] = {}
    for pair in college.crskeyauth:
        school = college.school_of(pair.site)
        if school is not None:
            schools.setdefault(pair.connection, {}).setdefault(school.school_id, school)
    return tuple(AuthKey(connection, tuple(found.values())) for connection, found in schools.items())


class SchoolRead(NamedTuple):
    """What a read of one school came to.

    :param error: what ended it before its last page.
    """

    kept: KeptRead
    error: RosterflowError | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the pages of a college's reads are kept.

    :param run: our run that reads.
    """

    store: Store
    blobs: PageStore
    college: str
    run: int

    def keep(self, folder: str, page: RawPage) -> KeptPage:
        """Keep one page under a folder."""
        name = f"{folder}/page_{page.number:04}"
        self.blobs.put_bytes(name, page.body)
        return KeptPage(page.number, name, hashlib.sha256(page.body).hexdigest(), len(page.body), page.rows)

    def record(self, read: KeptRead) -> KeptRead:
        """Write down which pages a read has; the read with its number."""
        with self.store.begin() as connection:
            return attendance_raw.keep(connection, self.college, self.run, read)

    def folder(self, school: str, read_at: datetime) -> str:
        """A folder of its own for a read."""
        parts = (attendance_raw.BELOW, self.college, quote(school, safe=""), f"{read_at:%Y%m%dT%H%M%S%f}-{self.run}")
        return "/".join(parts)


def read_key(
    hook: CourseKeyExportHook,
    schools: Sequence[School],
    first: date,
    last: date,
    evidence: Evidence,
    clock: Callable[[], datetime],
) -> list[SchoolRead]:
    """Read the schools of one auth key, one after the other; a school that fails does not stop the next.

    :param first: first day; the same calendar days are read in the zone of every school.
    :param last: last day, inclusive.
    """
    hook.settings()

    async def read() -> list[SchoolRead]:
        async with hook:
            return [await _read(hook, school, first, last, evidence, clock()) for school in schools]

    return asyncio.run(read())


async def _read(
    hook: CourseKeyExportHook, school: School, first: date, last: date, evidence: Evidence, read_at: datetime
) -> SchoolRead:
    folder = evidence.folder(school.school_id, read_at)
    pages: list[KeptPage] = []
    gaps: list[str] = []
    failed: RosterflowError | None = None
    try:
        async for page in hook.pages(school.school_id, first, last):
            pages.append(evidence.keep(folder, page))
            if page.is_hollow:
                gaps.append(f"page {page.number} came without a record")
    except RosterflowError as error:
        failed = error
        gaps.append(f"page {len(pages) + 1} could not be read ({error.code})")
    read = KeptRead(
        alias=school.alias,
        school=school.school_id,
        zone=school.zone.key,
        read_at=read_at,
        first=first,
        last=last,
        pages=tuple(pages),
        gaps=tuple(gaps),
    )
    return SchoolRead(evidence.record(read), failed)


@dataclass(slots=True)
class Opened:
    """The records of a read, opened page by page, so that never more than one page is held.

    ``problems`` and ``gaps`` are complete when :meth:`records` (or :meth:`pages`) has come to its end.

    :param fetch: the bytes of a page.
    """

    read: KeptRead
    fetch: Callable[[KeptPage], bytes]
    profile: ExportProfile = EXPORT
    problems: list[str] = field(init=False)
    gaps: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what is missing of it already."""
        self.problems, self.gaps = [], list(self.read.gaps)

    def pages(self) -> Iterator[OpenedPage]:
        """Its pages, opened.

        :raises FatalError: ``rows-missing`` when a page is not there any more, or is not as it was read.
        """
        self.problems, self.gaps = [], list(self.read.gaps)
        opening = Opening(self.profile, self.read.school, self.read.tz)
        for kept in self.read.pages:
            page = opening.open(kept.number, self._body(kept))
            self.problems += page.problems
            self.gaps += page.gaps
            yield page

    def records(self) -> Iterator[TimeRecord]:
        """Its records; raises as :meth:`pages` does."""
        for page in self.pages():
            yield from page.records

    @property
    def is_whole(self) -> bool:
        """Whether what is not in it is gone; known at the end."""
        return not self.gaps

    def _body(self, kept: KeptPage) -> bytes:
        body = self.fetch(kept)
        if hashlib.sha256(body).hexdigest() != kept.sha256:
            words = f"School {self.read.school}: page {kept.number} of the read is not as it was read."
            raise FatalError(Code.ROWS_MISSING, words)
        return body


def plain(read: KeptRead) -> dict[str, object]:
    """A read as JSON values, to be handed on between tasks."""
    found: dict[str, object] = msgspec.to_builtins(read)
    return found


def read_from(values: object) -> KeptRead:
    """The inverse of :func:`plain`."""
    return msgspec.convert(values, KeptRead)

"""Collecting: what changed in Campus Cafe goes into the mirror, and by the rules into the queue.

Each resource is read since its newest known change, with an overlap, and once a day as a whole. What was read of a
resource, what it means for the queue and how far it was read are one transaction: a killed collector loses nothing and
reads it again. Nobody is removed here (:mod:`rosterflow.sync.removing`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import msgspec
from sqlalchemy import Connection

from rosterflow.domain.coursekey.campus import Reading, Resource, Section, Semester
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.parameters import CATALOG
from rosterflow.domain.coursekey.port import CampusCafe
from rosterflow.domain.coursekey.queue import EntryState
from rosterflow.store import campus as mirror
from rosterflow.store import cursors, queue
from rosterflow.store.bulk import batches
from rosterflow.store.campus import Changed, StoredCampus
from rosterflow.store.cursors import Cursor
from rosterflow.store.engine import Store
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.looking_again import look_again
from rosterflow.sync.queueing import SECTIONS_AT_ONCE
from rosterflow.sync.wanting import Wanting

OVERLAP = timedelta(minutes=10)
"""A change may become visible a little later than its moment says."""
TRIED_AGAIN = timedelta(hours=1)
"""After a comparison that was not whole; until then only changes are read."""
UNGUARDED = (Resource.SEMESTERS, Resource.SECTIONS, Resource.PERSONS)
"""Of these an empty list is not believed; that of staff and registrations is for the guards of removals."""
SEVERAL = 2
"""A section may lose all its meetings at once; that several do and no other has any is not believed."""
ENDED = timedelta(days=120)
"""A semester that ended this long before the enrollment window's end is no longer read."""
NAMES_AT_ONCE = 2000
ORDER = (Resource.SEMESTERS, Resource.PERSONS, Resource.SECTIONS, Resource.STAFF, Resource.REGISTRATIONS)
"""What others refer to first."""


@dataclass(slots=True)
class Collected:
    """What a collection came to.

    :param read: records read, by resource.
    :param changed: those that were new or different.
    :param gone: those that a whole read no longer had.
    :param queued: entries changed in the queue, by the state they were given.
    :param gaps: why a read was not whole.
    :param problems: rows that could not be used.
    :param compared: resources that were read as a whole.
    """

    read: Counter[Resource] = field(default_factory=Counter)
    changed: Counter[Resource] = field(default_factory=Counter)
    gone: Counter[Resource] = field(default_factory=Counter)
    queued: Counter[EntryState] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    compared: list[Resource] = field(default_factory=list)


@undisturbed
def collect(store: Store, college: College, source: CampusCafe, now: datetime) -> Collected:
    """Read what changed, bring the mirror to it, and queue what it means.

    :raises RosterflowError: as the source does when a resource cannot be read; what was read before is kept.
    """
    found = Collected()
    compared = [resource for resource in ORDER if _collect(store, college, source, resource, now, found)]
    if Resource.REGISTRATIONS in compared:
        with store.begin() as connection:
            found.queued += look_again(connection, college, now)
    return found


def _collect(
    store: Store, college: College, source: CampusCafe, resource: Resource, now: datetime, found: Collected
) -> bool:
    """Collect one resource; whether everything was asked for, as it is once a day."""
    with store.begin() as connection:
        before = cursors.cursor(connection, college.key, resource)
        semesters = [] if resource is Resource.SEMESTERS else semesters_in_force(connection, college, now)
    if resource is not Resource.SEMESTERS and not semesters:
        return False
    compares = is_comparison_due(college, before, now)
    since = None if compares or before.read_to is None else before.read_to - OVERLAP
    reading = source.read(resource, modified_since=since, semesters=semesters)
    with store.begin() as connection:
        if since is None and not reading.records and resource in UNGUARDED:
            reading = _doubted(connection, college, reading, semesters)
        if resource is Resource.SECTIONS:
            reading = _without_lost_meetings(connection, college, reading, now)
        everything_of = semesters if since is None else None
        changed = mirror.apply(connection, college.key, reading, now, everything_of=everything_of)
        found.queued += _queue(connection, college, resource, changed, now)
        cursors.move(connection, college.key, resource, _moved(before, reading, since, now))
    found.read[resource] += len(reading.records)
    found.changed[resource] += len(changed.upserted)
    found.gone[resource] += len(changed.gone)
    found.gaps += (f"{resource}: {gap}" for gap in reading.gaps)
    found.problems += (f"{resource}: {problem}" for problem in (*reading.problems, *_odd_codes(reading)))
    if compares and not reading.gaps:
        found.compared.append(resource)
    return compares


def _doubted(connection: Connection, college: College, reading: Reading, semesters: list[str]) -> Reading:
    """An empty list, not whole where there was something before: a college does not lose all its people at once."""
    if reading.gaps or not mirror.has_any(connection, college.key, reading.resource, semesters):
        return reading
    return msgspec.structs.replace(reading, gaps=("none came, though there were some",))


def _without_lost_meetings(connection: Connection, college: College, reading: Reading, now: datetime) -> Reading:
    """Sections of which none has a meeting any more, left out as long as several of them are to meet yet.

    A list of meetings of its own that came empty, as a folder's may, would cancel every session of the college.
    """
    sections = [one for one in reading.records if isinstance(one, Section)]
    if any(one.meetings for one in sections):
        return reading
    today = now.astimezone(college.zone).date()
    before = mirror.sections_named(connection, college.key, [one.key for one in sections])
    to_meet = sum(any(one.on >= today and not one.is_cancelled for one in known.meetings) for known in before)
    if to_meet < SEVERAL:
        return reading
    words = f"no meetings came, though {to_meet} sections are to meet yet"
    return msgspec.structs.replace(reading, records=(), gaps=(*reading.gaps, words))


def is_comparison_due(college: College, before: Cursor, now: datetime) -> bool:
    """Whether everything is to be read: never yet, or not since today's local hour of the full comparison.

    One that was not whole is tried again an hour later. A moment in the future is none of a clock that was right.
    """
    if before.read_to and before.tried_at and timedelta(0) <= now - before.tried_at < TRIED_AGAIN:
        return False
    if before.compared_at is None or before.compared_at > now:
        return True
    local = now.astimezone(college.zone)
    due = datetime.combine(local.date(), time(college.campus_cafe.full_compare_hour), college.zone)
    return before.compared_at < due <= now


def semesters_in_force(connection: Connection, college: College, now: datetime) -> list[str]:
    """The semesters that are read: from the cutover on, without the catalog and those that are long over."""
    over = timedelta(days=college.coursekey.enrollment_days_active_aft_end) + ENDED
    last = now.astimezone(college.zone).date() - over

    def is_in_force(semester: Semester) -> bool:
        code = semester.code
        return (
            code != CATALOG
            and _has_six_digits(code)
            and int(code) >= int(college.coursekey.cutover_semester)
            and (semester.last is None or semester.last >= last)
        )

    known = StoredCampus(connection, college.key).semesters()
    return sorted(one.code for one in known if is_in_force(one))


def _odd_codes(reading: Reading) -> Iterator[str]:
    """Semesters that are not read because nobody can tell whether they come after the cutover's."""
    for one in reading.records:
        if isinstance(one, Semester) and not _has_six_digits(one.code):
            yield f"{one.code}: has not six digits, so its sections are not read"


def _has_six_digits(code: str) -> bool:
    return re.fullmatch(r"\d{6}", code, re.ASCII) is not None


def _moved(before: Cursor, reading: Reading, since: datetime | None, now: datetime) -> Cursor:
    """How far was read. A gap may hide a change: then it is as if nothing had been read."""
    tried = now if since is None else before.tried_at
    if reading.gaps:
        return before._replace(tried_at=tried)
    moments = (getattr(record, "modified_at", None) for record in reading.records)
    # A moment in the future would hide every change until then.
    newest = max((min(moment, now) for moment in moments if moment is not None), default=before.read_to)
    if before.read_to is not None and newest is not None:
        newest = max(newest, before.read_to)
    return Cursor(newest, now if since is None else before.compared_at, tried)


def _queue(
    connection: Connection, college: College, resource: Resource, changed: Changed, now: datetime
) -> Counter[EntryState]:
    names = (*changed.upserted, *changed.gone)
    queued: Counter[EntryState] = Counter()
    for some in batches(names, SECTIONS_AT_ONCE if resource is Resource.SECTIONS else NAMES_AT_ONCE):
        requests = Wanting(connection, college, now).because_of(resource, some)
        queued += queue.put(connection, college.key, college.coursekey.api_name, requests, now)
    return queued

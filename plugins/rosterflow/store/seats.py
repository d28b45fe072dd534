"""Who sits where, as far as attendance asks: courses of CourseKey as sections, registrations, Campus Cafe IDs."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, select

from rosterflow.domain.attendance.booking import Seat
from rosterflow.domain.coursekey.campus import Registration, Resource, Section, SectionKey, Standing
from rosterflow.store.attendance import Course
from rosterflow.store.bulk import batches
from rosterflow.store.campus import in_sections
from rosterflow.store.coursekey_maps import MapKind
from rosterflow.store.coursekey_tables import campus_record, coursekey_map

_registration = msgspec.json.Decoder(Registration).decode
_section = msgspec.json.Decoder(Section).decode


def sections_of_courses(connection: Connection, institution: str) -> dict[Course, SectionKey]:
    """The sections that have a course in CourseKey, by course."""
    table = coursekey_map.c
    query = select(table.school, table.remote_id, table.semester, table.course, table.section).where(
        table.institution == institution, table.kind == MapKind.COURSE
    )
    return {Course(school, remote): SectionKey(*names) for school, remote, *names in connection.execute(query)}


def person_ids(connection: Connection, institution: str) -> frozenset[str]:
    """Every Campus Cafe ID."""
    table = campus_record.c
    query = select(table.person).where(
        table.institution == institution, table.resource == Resource.PERSONS, table.gone_at.is_(None)
    )
    return frozenset(connection.execute(query).scalars())


def seats_in(
    connection: Connection, institution: str, sections: Iterable[SectionKey], zone: ZoneInfo, *, heeds_exclusion: bool
) -> dict[tuple[SectionKey, str], Seat]:
    """How students stand in some sections; who is no longer in Campus Cafe's list counts as dropped on that day.

    :param zone: the college's.
    :param heeds_exclusion: COURSEKEY_USE_LMS_EXCLUDE_FLAG.
    """
    table = campus_record.c
    columns = select(table.body, table.gone_at)
    found: dict[tuple[SectionKey, str], Seat] = {}
    for some in batches(sections):
        them = columns.where(in_sections(connection, institution, Resource.SECTIONS, some))
        bodies = connection.execute(them).scalars()
        excluded = {one.key for one in map(_section, bodies) if heeds_exclusion and one.is_excluded}
        students = columns.where(in_sections(connection, institution, Resource.REGISTRATIONS, some))
        for body, gone_at in connection.execute(students):
            one = _registration(body)
            dropped_on, standing = one.dropped_on, one.standing
            if gone_at is not None and standing is Standing.REGISTERED:
                dropped_on, standing = gone_at.astimezone(zone).date(), Standing.DROPPED
            found[one.key, one.person] = Seat(standing, dropped_on, None, one.key in excluded)
    return found


def sections_at(connection: Connection, institution: str, sites: Iterable[str]) -> list[Section]:
    """The sections of some course sites."""
    table = campus_record.c
    query = select(table.body).where(
        table.institution == institution, table.resource == Resource.SECTIONS, table.gone_at.is_(None)
    )
    here = frozenset(sites)
    return [one for one in map(_section, connection.execute(query).scalars()) if one.site in here]

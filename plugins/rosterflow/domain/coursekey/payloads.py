"""What CourseKey is to have of a person or a section, from what Campus Cafe knows now. Pure.

Source: reference coursekey §1.3 (fields), §3.4 (local times), §4 (hours, awarded time).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from rosterflow.domain.coursekey.campus import Person, Section, Semester
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.formats import attendance_name, awarded_seconds, course_name, course_title
from rosterflow.domain.coursekey.remote import CourseData, SessionData, UserData


def user_data(person: Person, *, is_teacher: bool) -> UserData:
    """A person's account; its issued ID is the Campus Cafe ID."""
    return UserData(
        first_name=person.first_name.strip(),
        last_name=person.last_name.strip(),
        email=person.email.strip(),
        is_teacher=is_teacher,
        issued_id=person.id,
    )


def course_data(
    college: College, section: Section, semester: Semester | None, instructors: Sequence[Person]
) -> CourseData:
    """A section's course, of which the rules have found that it has its dates.

    :param instructors: the section's staff, in the order in which they are shown.
    """
    assert section.first is not None
    assert section.last is not None
    return CourseData(
        name=course_name(college, section, semester),
        title=course_title(college, section, semester),
        first=section.first,
        last=section.last,
        starts=section.starts,
        ends=section.ends,
        time_zone=college.zone_of(section.site).key,
        weekdays=section.weekdays,
        instructor_name=", ".join(f"{one.first_name} {one.last_name}".strip() for one in instructors),
        attendance_name=attendance_name(college, section) or "",
        awarded_seconds=awarded_seconds(college, section),
        synchronous_hours=section.contact_hours,
        asynchronous_hours=section.lab_hours,
    )


def session_data(college: College, section: Section) -> dict[str, SessionData]:
    """A section's sessions by their slot: date and beginning, ``2026-09-01T09:00:00``.

    Each is a local date and time with its zone, so that a clock change moves none of them.
    """
    zone = college.zone_of(section.site).key
    return {
        f"{one.on.isoformat()}T{one.starts.isoformat()}": SessionData(one.on, one.starts, one.ends, zone)
        for one in section.meetings
        if not one.is_cancelled
    }


def fingerprint(*sent: object) -> str:
    """A digest of what is sent: the same digest, the same values."""
    return hashlib.sha256(msgspec.json.encode(sent)).hexdigest()[:32]

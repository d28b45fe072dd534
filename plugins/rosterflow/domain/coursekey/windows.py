"""When a course and its enrollments are sent: whole days in the section's zone, so that no clock change matters.

Source: COURSEKEY_COURSE_DAYS_ACTIVE_BEF_BEGIN, COURSEKEY_ENROLLMENT_DAYS_ACTIVE_BEF_BEGIN and …_AFT_END; worked
readings of reference coursekey §4.1.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from rosterflow.domain.coursekey.campus import Registration, Section
from rosterflow.domain.coursekey.parameters import CourseKey


class Window(NamedTuple):
    """The days on which something is sent.

    :param opens: the first of them.
    :param closes: the last of them.
    """

    opens: date
    closes: date

    def has_closed(self, today: date) -> bool:
        """Whether it is over."""
        return today > self.closes

    def is_shut(self, today: date) -> bool:
        """Whether it has not opened yet."""
        return today < self.opens


class Today(NamedTuple):
    """What one day is about: what begins by one date and ends on or after another.

    :param what: ``courses`` that are set up, ``enrollments`` by their courses, or ``attendance`` by its sessions.
    """

    what: str
    begins_by: date
    ends_from: date


def windows_on(settings: CourseKey, today: date) -> tuple[Today, ...]:
    """The windows, seen from a day in the zone of the sections they are about."""
    ends_from = today - timedelta(days=settings.enrollment_days_active_aft_end)
    before_course = settings.course_days_active_bef_begin
    before_enrollment = min(before_course, settings.enrollment_days_active_bef_begin)
    sent = (
        Today("courses", today + timedelta(days=before_course), ends_from),
        Today("enrollments", today + timedelta(days=before_enrollment), ends_from),
    )
    if settings.export_base_url is None:
        return sent
    return *sent, Today("attendance", today, today - timedelta(days=settings.export_time_attended_days_prior))


def course_window(settings: CourseKey, section: Section) -> Window | None:
    """The days on which a section's course, staff and sessions are sent; nothing when it lacks a date."""
    if section.first is None or section.last is None:
        return None
    return Window(
        section.first - timedelta(days=settings.course_days_active_bef_begin),
        section.last + timedelta(days=settings.enrollment_days_active_aft_end),
    )


def enrollment_window(settings: CourseKey, section: Section, registration: Registration | None) -> Window | None:
    """The days on which an enrollment is sent; a student's own first and last day go before the section's.

    It opens no earlier than the course's window, since there is nothing to enroll in before.
    """
    course = course_window(settings, section)
    first = (registration and registration.first) or section.first
    last = (registration and registration.last) or section.last
    if course is None or first is None or last is None:
        return None
    return Window(
        max(course.opens, first - timedelta(days=settings.enrollment_days_active_bef_begin)),
        last + timedelta(days=settings.enrollment_days_active_aft_end),
    )

"""The dated sessions of a course (docs/coursekey-contract.md): one per course, date and start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.coursekey.fields import clock_time, day, read, text, zone
from sandbox.coursekey.model import Refused, School, Session

if TYPE_CHECKING:
    from sandbox.coursekey.fields import Check
    from sandbox.coursekey.state import CourseKey

FIELDS: dict[str, Check] = {
    "schoolID": text,
    "date": day,
    "startTime": clock_time,
    "endTime": clock_time,
    "timeZone": zone,
}


def listed(coursekey: CourseKey, school: School, given: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /courses/{courseID}/sessions, in the order of time."""
    sessions = coursekey.course(school, given["courseID"]).sessions.values()
    return [session.as_json() for session in sorted(sessions, key=lambda each: (each.day, each.starts))]


def put(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """PUT /courses/{courseID}/sessions: a new session, or another end for the one of that date and start."""
    course = coursekey.course(school, given.pop("courseID"))
    sent = read(given, FIELDS, {})
    held, starts = day("date", sent["date"]), clock_time("startTime", sent["startTime"])
    former = next((row for row in course.sessions.values() if (row.day, row.starts) == (held, starts)), None)
    session_id = former.id if former else coursekey.new_id()
    session = Session(session_id, held, starts, clock_time("endTime", sent["endTime"]), sent["timeZone"])
    course.sessions[session_id] = session
    return 200 if former else 201, session.as_json()


def cancel(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, None]:
    """DELETE /courses/{courseID}/sessions/{sessionID}."""
    course = coursekey.course(school, given["courseID"])
    if course.sessions.pop(given["sessionID"], None) is None:
        raise Refused(404, "no_session", "The course has no such session.")
    return 204, None


def attendance_names(coursekey: CourseKey, school: School, given: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /attendanceconfigurations: the names of a school."""
    return [{"name": name} for name in school.attendance_names]

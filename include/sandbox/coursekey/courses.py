"""Courses: finding, creating and changing them, and the sessions CourseKey makes of one by itself.

Source: docs/coursekey-contract.md; reference/coursekey.md §1.3 (auto-schedule, required fields) and §1.4 (flexible).
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.coursekey.fields import (
    WEEKDAYS,
    any_text,
    clock_time,
    day,
    decimal,
    email,
    invalid,
    optional_time,
    read,
    text,
    weekdays,
    whole,
    zone,
)
from sandbox.coursekey.model import FLEXIBLE, Course, Membership, Refused, School, Session

if TYPE_CHECKING:
    from sandbox.coursekey.fields import Check
    from sandbox.coursekey.state import CourseKey

REQUIRED: dict[str, Check] = {
    "schoolID": text,
    "name": text,
    "title": text,
    "startDate": day,
    "endDate": day,
    "timeZone": zone,
}
OPTIONAL: dict[str, Check] = {
    "startTime": optional_time,
    "endTime": optional_time,
    "days": weekdays,
    "instructorName": any_text,
    "attendanceName": any_text,
    "awardedTime": whole,
    "synchronousHours": decimal,
    "asynchronousHours": decimal,
}
ON_CREATION: dict[str, Check] = {"owner": email, "admin": any_text}
WHOLE_DAY = (time(0, 0), time(23, 59))
CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def find(coursekey: CourseKey, school: School, given: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /courses: the one of exactly that name; all without one."""
    if "name" in given:
        found = coursekey.course_by_name(school, given["name"])
        return [found.as_json()] if found else []
    return [course.as_json() for course in coursekey.courses.values() if course.school == school]


def show(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """GET /courses/{courseID}."""
    return 200, coursekey.course(school, given["courseID"]).as_json()


def create(
    coursekey: CourseKey, school: School, given: dict[str, Any], *, by_hand: bool = False
) -> tuple[int, dict[str, Any]]:
    """POST /courses: a course with its owner and admins, who must be users, and its join code."""
    sent = read(given, REQUIRED, OPTIONAL | ON_CREATION)
    _check(school, sent)
    owner = coursekey.user_by_email(school, sent.get("owner", ""))
    if owner is None:
        raise Refused(422, "unknown_owner", "The owner is no user of this school.", "owner")
    admins = [coursekey.user_by_email(school, address) for address in sent.get("admin", "").split("|") if address]
    _refuse_duplicate(coursekey, school, None, sent["name"])
    course_id = coursekey.new_id()
    course = Course(course_id, _add_code(int(course_id)), school, sent, by_hand)
    for admin in admins:
        if admin is None:
            raise invalid("admin", "An admin is no user of this school.")
        course.staff[admin.id] = Membership(admin, by_hand=by_hand)
    course.staff[owner.id] = Membership(owner, is_owner=True, by_hand=by_hand)
    coursekey.add_course(course)
    _schedule(coursekey, course)
    return 201, course.as_json()


def update(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """PUT /courses/{courseID}: everything anew but owner and admins, who are staff and stay."""
    course = coursekey.course(school, given.pop("courseID"))
    for name in ON_CREATION:
        if name in given:
            raise invalid(name, f"{name} is for a new course only.")
    sent = read(given, REQUIRED, OPTIONAL)
    _check(school, sent)
    _refuse_duplicate(coursekey, school, course, sent["name"])
    coursekey.rename_course(course, sent["name"])
    course.sent = {**sent, **{name: course.sent[name] for name in ON_CREATION if name in course.sent}}
    _schedule(coursekey, course)
    return 200, course.as_json()


def _check(school: School, sent: dict[str, Any]) -> None:
    """What the fields must be to each other and to the school."""
    if day("endDate", sent["endDate"]) < day("startDate", sent["startDate"]):
        raise invalid("endDate", "endDate must not be before startDate.")
    name = sent.get("attendanceName", "")
    if not name and len(school.attendance_names) > 1:
        raise invalid("attendanceName", "attendanceName is required: this school has several configurations.")
    if name and name not in school.attendance_names:
        raise Refused(
            422, "unknown_attendance_name", "This school has no such attendance configuration.", "attendanceName"
        )


def _refuse_duplicate(coursekey: CourseKey, school: School, course: Course | None, name: str) -> None:
    if coursekey.course_by_name(school, name) not in (None, course):
        raise Refused(409, "duplicate_name", "Another course of this school has this name.", "name")


def _add_code(number: int) -> str:
    """The join code of a course: seven characters, lower case, `ck` first, and none like another's."""
    letters = []
    scrambled = number * 7_368_787 % len(CODE_LETTERS) ** 5  # coprime to it, so no two meet
    for _ in range(5):
        scrambled, letter = divmod(scrambled, len(CODE_LETTERS))
        letters.append(CODE_LETTERS[letter])
    return "ck" + "".join(letters)


def _schedule(coursekey: CourseKey, course: Course) -> None:
    """Make the sessions a course has by itself; those that no longer fit go, all set by others stay."""
    wanted = dict.fromkeys(_own_sessions(coursekey, course))
    zone_name = course.sent["timeZone"]
    for session in list(course.sessions.values()):
        if session.is_automatic:
            if (session.day, session.starts, session.ends) in wanted and session.zone == zone_name:
                del wanted[session.day, session.starts, session.ends]
            else:
                del course.sessions[session.id]
    for held, starts, ends in wanted:
        session = Session(coursekey.new_id(), held, starts, ends, zone_name, is_automatic=True)
        course.sessions[session.id] = session


def _own_sessions(coursekey: CourseKey, course: Course) -> list[tuple[date, time, time]]:
    sent = course.sent
    first, last = day("startDate", sent["startDate"]), day("endDate", sent["endDate"])
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if sent.get("attendanceName") == FLEXIBLE:
        return [(each, *WHOLE_DAY) for each in days]
    if course.school.id not in coursekey.settings.auto_schedule or not sent.get("startTime") or not sent.get("endTime"):
        return []
    times = clock_time("startTime", sent["startTime"]), clock_time("endTime", sent["endTime"])
    held_on = weekdays("days", sent.get("days", ""))
    return [(each, *times) for each in days if WEEKDAYS[each.weekday()] in held_on]

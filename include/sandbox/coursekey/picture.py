"""All of CourseKey as JSON, sorted by what things are called, so that two states can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.coursekey.model import SCHOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.coursekey.model import Course, User
    from sandbox.coursekey.state import CourseKey

OUR_IDS = ("userID", "courseID", "addCode", "sessionID")
"""What CourseKey gives in the order things come into being."""


def picture(coursekey: CourseKey, *, ids: bool = True) -> dict[str, Any]:
    """Schools, users and courses with their people and sessions, settings, and how often each operation was called.

    Without `ids`, the IDs and join codes are left out, so that states that came about in another order are equal.
    """
    with coursekey.lock:
        return {
            "schools": [
                {"schoolID": school.id, "key": school.key, "timeZone": school.zone, "names": school.attendance_names}
                for school in SCHOOLS.values()
            ],
            "users": _sorted((_user(user, ids) for user in coursekey.users.values()), "schoolID", "email"),
            "courses": _sorted((_course(course, ids) for course in coursekey.courses.values()), "schoolID", "name"),
            "settings": coursekey.settings_as_json(),
            "calls": _calls(coursekey),
        }


def _user(user: User, ids: bool) -> dict[str, Any]:
    kept = {
        "welcomeMails": user.welcome_mails,
        "passwordWasSet": user.password_was_set,
        "byHand": user.by_hand,
    }
    return _shown(user.as_json(), ids) | kept


def _course(course: Course, ids: bool) -> dict[str, Any]:
    staff = ({**_shown(row.as_json(), ids), "byHand": row.by_hand} for row in course.staff.values())
    sessions = [
        _shown(row.as_json(), ids) | {"isAutomatic": row.is_automatic}
        for row in sorted(course.sessions.values(), key=lambda each: (each.day, each.starts))
    ]
    return {
        **_shown(course.as_json(), ids),
        "byHand": course.by_hand,
        "staff": _sorted(staff, "email"),
        "enrollments": _sorted((_shown(row.as_json(), ids) for row in course.enrollments.values()), "email"),
        "sessions": sessions,
    }


def _calls(coursekey: CourseKey) -> dict[str, dict[str, int]]:
    made: dict[str, dict[str, int]] = {}
    for (key, operation), number in sorted(coursekey.calls_made.items()):
        made.setdefault(key, {})[operation] = number
    return made


def _shown(row: dict[str, Any], ids: bool) -> dict[str, Any]:
    return row if ids else {name: value for name, value in row.items() if name not in OUR_IDS}


def _sorted(rows: Iterable[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: tuple(row[name] for name in names))


def listed_calls(coursekey: CourseKey) -> list[dict[str, Any]]:
    """The calls made, the oldest first."""
    with coursekey.lock:
        return [{**call._asdict(), "at": call.at.isoformat()} for call in coursekey.calls]

"""Who teaches and takes a course: staff, enrollments, drops (docs/coursekey-contract.md; reference §1.3, §1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.coursekey.fields import email, flag, invalid, read, text
from sandbox.coursekey.model import Enrollment, Membership, Refused, School, User

if TYPE_CHECKING:
    from sandbox.coursekey.fields import Check
    from sandbox.coursekey.state import CourseKey

PERSON: dict[str, Check] = {"schoolID": text, "email": email}


def staff(coursekey: CourseKey, school: School, given: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /courses/{courseID}/staff."""
    return [row.as_json() for row in coursekey.course(school, given["courseID"]).staff.values()]


def add_staff(
    coursekey: CourseKey, school: School, given: dict[str, Any], *, by_hand: bool = False
) -> tuple[int, dict[str, Any]]:
    """POST /courses/{courseID}/staff: a user becomes an admin of a course; 200 when it was one."""
    course = coursekey.course(school, given.pop("courseID"))
    sent = read(given, PERSON | {"isAdmin": flag}, {})
    if not sent["isAdmin"]:
        raise invalid("isAdmin", "isAdmin must be 1: staff are admins.")
    user = _user(coursekey, school, sent["email"])
    status = 200 if user.id in course.staff else 201
    course.staff.setdefault(user.id, Membership(user, by_hand=by_hand))
    return status, {"userID": user.id, "email": user.email}


def remove_staff(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, None]:
    """DELETE /courses/{courseID}/staff/{userID}: anybody but the owner."""
    course = coursekey.course(school, given["courseID"])
    membership = course.staff.get(given["userID"])
    if membership is None:
        raise Refused(404, "not_on_course", "This user is not on the staff of the course.")
    if membership.is_owner:
        raise Refused(409, "owner_protected", "The owner cannot be removed from the course.")
    del course.staff[given["userID"]]
    return 204, None


def enrollments(coursekey: CourseKey, school: School, given: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /courses/{courseID}/enrollments, those who dropped too."""
    return [row.as_json() for row in coursekey.course(school, given["courseID"]).enrollments.values()]


def enroll(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """POST /enrollments: a user takes a course; 200 when it did. With isAdmin 1 it gets an instructor's rights."""
    sent = read(given, PERSON | {"course": text, "isAdmin": flag}, {})
    course = coursekey.course_by_add_code(school, sent["course"])
    user = _user(coursekey, school, sent["email"])
    if sent["isAdmin"]:
        course.staff.setdefault(user.id, Membership(user))
    former = course.enrollments.get(user.id)
    course.enrollments[user.id] = row = Enrollment(user)
    return 200 if former and former.is_active else 201, row.as_json()


def drop(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """POST /enrollments/drop: a user takes a course no longer; what was before stays to be seen."""
    sent = read(given, PERSON | {"course": text}, {})
    course = coursekey.course_by_add_code(school, sent["course"])
    former = course.enrollments.get(_user(coursekey, school, sent["email"]).id)
    if former is None or not former.is_active:
        raise Refused(404, "not_enrolled", "This user is not enrolled in the course.")
    course.enrollments[former.user.id] = row = replace(former, is_active=False)
    return 200, row.as_json()


def _user(coursekey: CourseKey, school: School, address: str) -> User:
    user = coursekey.user_by_email(school, address)
    if user is None:
        raise Refused(404, "unknown_user", "There is no user with this e-mail address at this school.")
    return user

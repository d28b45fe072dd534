"""Users: finding, creating and changing them (docs/coursekey-contract.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.coursekey.fields import any_text, email, flag, invalid, read, text
from sandbox.coursekey.model import Refused, School, User

if TYPE_CHECKING:
    from sandbox.coursekey.fields import Check
    from sandbox.coursekey.state import CourseKey

REQUIRED: dict[str, Check] = {"schoolID": text, "firstName": text, "lastName": text, "isTeacher": flag}
OPTIONAL: dict[str, Check] = {"email": email, "issuedID": any_text}
ON_CREATION: dict[str, Check] = {"sendWelcomeEmail": flag, "password": text}


def find(coursekey: CourseKey, school: School, given: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /users: those of an e-mail or an issued ID; all without either."""
    if "email" in given:
        found = [coursekey.user_by_email(school, given["email"])]
    elif "issuedID" in given:
        found = [coursekey.user_by_issued_id(school, given["issuedID"])]
    else:
        found = [user for user in coursekey.users.values() if user.school == school]
    return [user.as_json() for user in found if user]


def create(
    coursekey: CourseKey, school: School, given: dict[str, Any], *, by_hand: bool = False
) -> tuple[int, dict[str, Any]]:
    """POST /users: an account, with a welcome mail when one is asked for."""
    sent = read(given, REQUIRED, OPTIONAL | ON_CREATION)
    address = email("email", sent.get("email", ""))
    _refuse_duplicates(coursekey, school, None, address, sent.get("issuedID", ""))
    user = User(
        coursekey.new_id(),
        school,
        sent["firstName"],
        sent["lastName"],
        address,
        sent["isTeacher"],
        sent.get("issuedID", ""),
        welcome_mails=sent.get("sendWelcomeEmail", 0),
        password_was_set="password" in sent,
        by_hand=by_hand,
    )
    coursekey.add_user(user)
    return 201, user.as_json()


def update(coursekey: CourseKey, school: School, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """PUT /users/{userID}: names, e-mail, issued ID and kind anew; nobody is mailed."""
    user = coursekey.user(school, given.pop("userID"))
    for name in ON_CREATION:
        if name in given:
            raise invalid(name, f"{name} is for a new user only.")
    sent = read(given, REQUIRED, OPTIONAL)
    address, issued_id = email("email", sent.get("email", "")), sent.get("issuedID", "")
    _refuse_duplicates(coursekey, school, user, address, issued_id)
    names = {"first_name": sent["firstName"], "last_name": sent["lastName"]}
    coursekey.change_user(user, **names, email=address, issued_id=issued_id)
    user.is_teacher = sent["isTeacher"]
    return 200, user.as_json()


def _refuse_duplicates(coursekey: CourseKey, school: School, user: User | None, address: str, issued_id: str) -> None:
    if coursekey.user_by_email(school, address) not in (None, user):
        raise Refused(409, "duplicate_email", "Another user of this school has this e-mail address.", "email")
    if issued_id and coursekey.user_by_issued_id(school, issued_id) not in (None, user):
        raise Refused(409, "duplicate_issued_id", "Another user of this school has this issued ID.", "issuedID")

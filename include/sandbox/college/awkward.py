"""The awkward records of the college: one for each thing that is easily overlooked between Campus Cafe and CourseKey.

Source: reference/coursekey.md, §2.5, §2.6 and §4. Their sections are those of the subject AWK, their persons those
from 900001.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.college.calendar import first_monday
from sandbox.college.vocabulary import BLENDED, DOMAIN, INTERNSHIP, LECTURE

if TYPE_CHECKING:
    from sandbox.college.records import College

STUDENTS = {
    "900001": ("Noemail", "Ashelcroft", ""),
    "900002": ("Sharing", "Brindlegarth", f"shared@students.{DOMAIN}"),
    "900003": ("Sharing", "Craghurst", f"Shared@students.{DOMAIN}"),
    "900004": ("Capital", "Dunmerreeve", f"Capital.Dunmerreeve@Students.{DOMAIN}"),
    "900005": ("O'Apostrophe", "Elder-Hyphen", f"o'apostrophe@students.{DOMAIN}"),
    "900006": ("Ünïcode", "Ferrinthørpe", f"unicode@students.{DOMAIN}"),
    "900007": ("Waiting", "Gristwether", f"waiting@students.{DOMAIN}"),
    "900008": ("Dropping", "Hollenquist", f"dropping@students.{DOMAIN}"),
    "900009": ("Overriding", "Larkemstall", f"overriding@students.{DOMAIN}"),
}
"""Persons by their ID: given name, family name, e-mail."""


def add(college: College) -> None:
    """Add the awkward records to a generated college."""
    early = f"{_day(college, 8, 10)}T14:00:00Z"
    for person, (given, family, email) in STUDENTS.items():
        names = {"firstName": given, "lastName": family, "email": email}
        college.put("persons", {"id": person, **names, "modifiedAt": early})
    first = first_monday(date(college.year, 8, 22)) + college.shift
    for number, (title, differences) in enumerate(_sections(college), 1):
        section = {
            "semester": college.semester,
            "courseNumber": "AWK101",
            "section": str(number),
            "title": title,
            "site": "MAIN",
            "beginDate": first.isoformat(),
            "endDate": (first + timedelta(days=109)).isoformat(),
            "enrollmentCode4": LECTURE,
            "contactHours": "45.00",
            **differences,
        }
        college.put("sections", {**section, "modifiedAt": early})
        _register(college, section, early)


def _sections(college: College) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Title, and what is not as usual, of each awkward section."""
    night = {"date": _day(college, 10, 31), "startTime": "22:00", "endTime": "06:00", "isCancelled": False}
    return (
        ("Excluded from the LMS", {"excludeFromLms": True}),
        ("Without a site", {"site": ""}),
        ("At a site without a school", {"site": "ONLINE"}),
        ("Without an attendance name", {"enrollmentCode4": ""}),
        ("Without one where one will do", {"enrollmentCode4": "", "site": "NORTH"}),
        ("Blended without hours", {"enrollmentCode4": BLENDED, "contactHours": "30.00"}),
        ("Cancelled", {"isCancelled": True}),
        ("In the catalog", {"semester": "999999", "beginDate": None, "endDate": None}),
        ("About @SEMESTER@ and other words | with a pipe", {}),
        (
            "Night shift over the end of daylight saving time, with a title longer than a transcript's line",
            {
                "enrollmentCode4": INTERNSHIP,
                "startTime": "22:00",
                "endTime": "06:00",
                "days": ["Saturday"],
                "meetings": [night],
            },
        ),
        ("Without dates", {"beginDate": None, "endDate": None}),
    )


def _register(college: College, section: dict[str, Any], early: str) -> None:
    """Put two ordinary students into an awkward section, and the awkward students into the one with the pipe."""
    key = {field: section[field] for field in ("semester", "courseNumber", "section")}
    changes: dict[str, dict[str, Any]] = {person: {} for person in STUDENTS} if section["section"] == "9" else {}
    if changes:
        changes["900007"] = {"status": "waitlisted"}
        changes["900008"] = {"status": "dropped", "droppedOn": _day(college, 8, 9)}
        changes["900009"] = {"startOverride": _day(college, 9, 14), "endOverride": _day(college, 11, 20)}
    students = [row["id"] for row in college.rows("persons") if row["id"].startswith("2")][:2]
    for person in (*students, *changes):
        registered = {"registeredAt": f"{_day(college, 8, 9)}T15:00:00Z", **changes.get(person, {})}
        college.put("registrations", {**key, "personId": person, **registered, "modifiedAt": early})


def _day(college: College, month: int, day: int) -> str:
    """A day of the college's year, as records have it."""
    return (date(college.year, month, day) + college.shift).isoformat()

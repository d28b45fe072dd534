"""An invented American college, as the pure rules see it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from rosterflow.domain.coursekey.campus import (
    Person,
    Record,
    Registration,
    Section,
    SectionKey,
    Semester,
    Standing,
    Teaching,
)
from rosterflow.domain.coursekey.college import College

KEY = SectionKey("202610", "MTH101", "4")
FALL = Semester("202610", "Fall 2026", date(2026, 8, 24), date(2026, 12, 11))
SECTION = Section(
    *KEY,
    title="Intro to Math",
    site="MAIN",
    first=date(2026, 3, 16),
    last=date(2026, 5, 15),
    attendance_code="LEC",
)
STUDENT = Person("2001", "Ada", "Invented", "ada@students.example")
TEACHER = Person("1002", "Theo", "Imagined", "theo@college.example")
REGISTRAR = Person("1001", "Rita", "Madeup", "registrar@college.example")
REGISTERED = Registration(
    *KEY, person="2001", standing=Standing.REGISTERED, registered_at=datetime(2026, 2, 1, tzinfo=UTC)
)
TEACHING = Teaching(*KEY, person="1002")


def raw_college(**changes: Any) -> dict[str, Any]:
    """The settings file's content: names in capitals are parameters; ``None`` takes a setting out."""
    parameters = {
        "COURSEKEY_BASE_URL": "api.thecoursekey.com",
        "COURSEKEY_EXPORT_BASE_URL": "services.thecoursekey.com",
        "COURSEKEY_COURSE_OWNER": "registrar@college.example",
        "COURSEKEY_CUTOVER_SEMESTER": "202610",
        "COURSEKEY_EMAIL": "lms@college.example",
        "COURSEKEY_SEND_EMAIL_TO_NEW_USER": "Y",
        "COURSEKEY_TIMEZONE": "US/Eastern",
    }
    raw: dict[str, Any] = {
        "key": "college",
        "name": "An Invented College",
        "campus_cafe": {"connection": "campus_cafe_college"},
        "crskeyauth": [
            {"alias": "1-1", "connection": "coursekey_1", "school": "548156", "site": "MAIN"},
            {"alias": "1-2", "connection": "coursekey_2", "timezone": "US/Arizona", "school": "612001", "site": "WEST"},
        ],
        "rccono": {"MAIN": "Main Campus", "WEST": "West Campus", "AWAY": "Elsewhere"},
        "rgencd": {"LEC": "4:Lecture", "FLX": "4:Flexible Lab", "BLC": "4:Blended Capstone", "OLD": "3:Lecture"},
        "not_integrated_sites": ["AWAY"],
    }
    parameters |= {f"COURSEKEY_{name}": value for name, value in changes.items() if name.isupper()}
    raw |= {name: value for name, value in changes.items() if not name.isupper()}
    raw["coursekey"] = {name: value for name, value in parameters.items() if value is not None}
    return {name: value for name, value in raw.items() if value is not None}


def college(**changes: Any) -> College:
    """The college's settings: names in capitals are parameters."""
    return College.model_validate(raw_college(**changes))


def changed(record: Any, **fields: Any) -> Any:
    """A record with other fields."""
    return msgspec.structs.replace(record, **fields)


class Known:
    """A mirror of Campus Cafe that holds just these records."""

    def __init__(self, *records: Record) -> None:
        self._records = {self._name(record): record for record in records}

    @staticmethod
    def _name(record: Record) -> tuple[object, ...]:
        match record:
            case Semester():
                return Semester, record.code
            case Person():
                return Person, record.id
            case Section():
                return Section, record.key
            case _:
                return type(record), record.key, record.person

    def _get(self, *name: object) -> Any:
        return self._records.get(name)

    def semester(self, code: str) -> Semester | None:
        found: Semester | None = self._get(Semester, code)
        return found

    def section(self, key: SectionKey) -> Section | None:
        found: Section | None = self._get(Section, key)
        return found

    def person(self, person_id: str) -> Person | None:
        found: Person | None = self._get(Person, person_id)
        return found

    def registration(self, key: SectionKey, person_id: str) -> Registration | None:
        found: Registration | None = self._get(Registration, key, person_id)
        return found

    def teaching(self, key: SectionKey, person_id: str) -> Teaching | None:
        found: Teaching | None = self._get(Teaching, key, person_id)
        return found

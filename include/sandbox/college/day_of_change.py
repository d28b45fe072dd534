"""A day of change at the college: what may happen in Campus Cafe between two looks at it.

The same college and day give the same changes. A step that finds no record to change is left out.
Source: issue 4, section 4.4.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.college.calendar import meetings
from sandbox.college.records import SECTION_KEY, stamp
from sandbox.college.vocabulary import DOMAIN, FLEXIBLE, LECTURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.college.records import College, Record

FIRST_NEWCOMER = 990_001


def play(college: College) -> list[str]:
    """Change a college as a day would, and return what changed, one sentence a change, people by their IDs."""
    with college.lock:
        steps = _Day(college).steps()
        changes = [sentence for step in steps if (sentence := step()) is not None]
        college.days += 1
    return changes


def _named(record: Record) -> str:
    return "/".join(record[field] for field in SECTION_KEY)


class _Day:
    """One day's changes. No record is picked by two of them."""

    def __init__(self, college: College) -> None:
        self._college = college
        self._rng = random.Random(f"college/{college.seed}/{college.year}/day {college.days}")
        self._picked: set[tuple[str, ...]] = set()

    def steps(self) -> tuple[Callable[[], str | None], ...]:
        """The changes in the order they happen."""
        return (
            self._drop_a_student,
            self._let_a_waiting_student_in,
            self._register_late,
            self._register_a_newcomer,
            self._change_an_email,
            self._rename_a_person,
            self._change_the_instructor,
            self._rename_a_section,
            self._move_a_meeting,
            self._cancel_a_meeting,
            self._extend_a_section,
            self._exclude_a_section,
            self._add_a_section,
        )

    def _pick(self, resource: str, rows: Iterable[Record]) -> Record | None:
        """A record that nothing has happened to today; its own key keeps it from being picked again."""
        free = [row for row in rows if self._name(resource, row) not in self._picked]
        if not free:
            return None
        row = self._rng.choice(free)
        self._picked.add(self._name(resource, row))
        return row

    @staticmethod
    def _name(resource: str, row: Record) -> tuple[str, ...]:
        return resource, *(str(row.get(field, "")) for field in (*SECTION_KEY, "personId", "id"))

    def _sections(self) -> list[Record]:
        """The ordinary sections of the semester in force."""
        rows = self._college.rows("sections", [self._college.semester])
        return [row for row in rows if row["courseNumber"] != "AWK101" and not row["excludeFromLms"]]

    def _registrations(self, status: str) -> list[Record]:
        rows = self._college.rows("registrations", [self._college.semester])
        return [row for row in rows if row["status"] == status and row["courseNumber"] != "AWK101"]

    def _students(self) -> list[Record]:
        return [row for row in self._college.rows("persons") if row["id"].startswith("2")]

    def _drop_a_student(self) -> str | None:
        row = self._pick("registrations", self._registrations("registered"))
        if row is None:
            return None
        today = self._college.now().date().isoformat()
        self._college.put("registrations", {**_unstamped(row), "status": "dropped", "droppedOn": today})
        return f"Student {row['personId']} dropped {_named(row)}."

    def _let_a_waiting_student_in(self) -> str | None:
        row = self._pick("registrations", self._registrations("waitlisted"))
        if row is None:
            return None
        self._college.put("registrations", {**_unstamped(row), "status": "registered"})
        return f"Student {row['personId']} came from the wait-list into {_named(row)}."

    def _register_late(self) -> str | None:
        section = self._pick("sections", self._sections())
        if section is None:
            return None
        key = [section[field] for field in SECTION_KEY]
        free = [row for row in self._students() if self._college.get("registrations", *key, row["id"]) is None]
        student = self._pick("persons", free)
        if student is None:
            return None
        self._register(section, student["id"])
        return f"Student {student['id']} registered late for {_named(section)}."

    def _register_a_newcomer(self) -> str | None:
        section = self._pick("sections", self._sections())
        if section is None:
            return None
        person = str(FIRST_NEWCOMER + self._college.days)
        names = {"firstName": "Newcomer", "lastName": f"Pikelstall{self._college.days + 1}"}
        self._college.put("persons", {"id": person, **names, "email": f"newcomer.{person}@students.{DOMAIN}"})
        self._register(section, person)
        return f"Student {person} is new and registered for {_named(section)}."

    def _register(self, section: Record, person: str) -> None:
        key = {field: section[field] for field in SECTION_KEY}
        self._college.put("registrations", {**key, "personId": person, "registeredAt": stamp(self._college.now())})

    def _change_an_email(self) -> str | None:
        row = self._pick("persons", self._students())
        if row is None:
            return None
        self._college.put("persons", {"id": row["id"], "email": f"moved{self._college.days}.{row['email']}"})
        return f"Student {row['id']} has another e-mail address."

    def _rename_a_person(self) -> str | None:
        row = self._pick("persons", self._students())
        if row is None:
            return None
        self._college.put("persons", {"id": row["id"], "lastName": f"{row['lastName']}-Wether"})
        return f"Student {row['id']} has another family name."

    def _change_the_instructor(self) -> str | None:
        teaching = self._college.rows("staff", [self._college.semester])
        row = self._pick("staff", (row for row in teaching if row["isPrimary"] and not row["isRemoved"]))
        here = {each["personId"] for each in teaching if row and _named(each) == _named(row)}
        staff = [each["personId"] for each in self._college.rows("staff") if each["personId"] not in here]
        if row is None or not staff:
            return None
        successor = self._rng.choice(sorted(set(staff)))
        self._college.put("staff", {**_unstamped(row), "isRemoved": True})
        self._college.put("staff", {**_unstamped(row), "personId": successor})
        return f"{successor} teaches {_named(row)} instead of {row['personId']}."

    def _rename_a_section(self) -> str | None:
        return self._change_a_section(lambda row: {"title": f"{row['title']} (revised)"}, "has another title")

    def _exclude_a_section(self) -> str | None:
        return self._change_a_section(lambda row: {"excludeFromLms": True}, "is excluded from the LMS")

    def _extend_a_section(self) -> str | None:
        def later(row: Record) -> dict[str, Any]:
            return {"endDate": (date.fromisoformat(row["endDate"]) + timedelta(days=7)).isoformat()}

        return self._change_a_section(later, "ends a week later")

    def _move_a_meeting(self) -> str | None:
        def moved(row: Record) -> dict[str, Any]:
            *before, last = row["meetings"]
            return {"meetings": [*before, {**last, "startTime": "16:00", "endTime": "17:15"}]}

        return self._change_a_section(moved, "has its last meeting at 16:00")

    def _cancel_a_meeting(self) -> str | None:
        def cancelled(row: Record) -> dict[str, Any]:
            *before, last = row["meetings"]
            return {"meetings": [*before, {**last, "isCancelled": True}]}

        return self._change_a_section(cancelled, "has its last meeting cancelled")

    def _change_a_section(self, change: Callable[[Record], dict[str, Any]], said: str) -> str | None:
        row = self._pick("sections", (row for row in self._sections() if row["enrollmentCode4"] != FLEXIBLE))
        if row is None:
            return None
        self._college.put("sections", {**_unstamped(row), **change(row)})
        return f"{_named(row)} {said}."

    def _add_a_section(self) -> str | None:
        model = self._pick("sections", (row for row in self._sections() if row["enrollmentCode4"] == LECTURE))
        if model is None:
            return None
        numbers = [int(row["section"]) for row in self._sections() if row["courseNumber"] == model["courseNumber"]]
        first, last = date.fromisoformat(model["beginDate"]), date.fromisoformat(model["endDate"])
        times = ("17:00", "18:15")
        section = {
            **_unstamped(model),
            "section": str(max(numbers) + 1),
            "days": ["Friday"],
            "startTime": times[0],
            "endTime": times[1],
            "meetings": meetings(first, last, ("Friday",), *times),
        }
        self._college.put("sections", section)
        for student in self._rng.sample(self._students(), min(3, len(self._students()))):
            self._register(section, student["id"])
        return f"{_named(section)} is new, with three students."


def _unstamped(row: Record) -> Record:
    """A record without when it was modified, so that its change is of now."""
    return {name: value for name, value in row.items() if name != "modifiedAt"}

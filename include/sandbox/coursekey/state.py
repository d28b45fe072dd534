"""The state of CourseKey: its users and courses with the indices they are found by, its settings, the calls made."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.coursekey.model import KEYS, OWNER, SCHOOLS, Course, Refused, School, User

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.coursekey.attendance import TimeRecord

CALLS_KEPT = 20_000


class InvalidCourseKeySetting(ValueError):
    """A setting CourseKey does not have or cannot take; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class CourseKeySettings:
    """How CourseKey behaves.

    `rate_per_second` are the calls a key may make (None: any number), `latency_seconds` what each takes. At the keys of
    `owner_unknown` nobody knows the owner; those of `refused_keys` are not let in. Courses of the schools in
    `auto_schedule` make sessions of their dates, times and weekdays; those in `midnight_shift` check students out at
    midnight and in again. `page_size` is that of lists, `export_page_size` that of the export, where deleted records
    are shown only with `show_deleted`.
    """

    rate_per_second: float | None = None
    latency_seconds: float = 0.0
    owner_unknown: tuple[str, ...] = ()
    refused_keys: tuple[str, ...] = ()
    auto_schedule: tuple[str, ...] = ()
    midnight_shift: tuple[str, ...] = ()
    show_deleted: bool = False
    page_size: int = 100
    export_page_size: int = 500

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises InvalidCourseKeySetting."""
        rate, latency = self.rate_per_second, self.latency_seconds
        if rate is not None and (not isinstance(rate, int | float) or isinstance(rate, bool) or rate <= 0):
            raise InvalidCourseKeySetting(f"rate_per_second must be a number above 0, or null, not {rate!r}.")
        if not isinstance(latency, int | float) or isinstance(latency, bool) or latency < 0:
            raise InvalidCourseKeySetting(f"latency_seconds must be a number, 0 or more, not {latency!r}.")
        if not isinstance(self.show_deleted, bool):
            raise InvalidCourseKeySetting(f"show_deleted must be true or false, not {self.show_deleted!r}.")
        for name, size in (("page_size", self.page_size), ("export_page_size", self.export_page_size)):
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise InvalidCourseKeySetting(f"{name} must be a whole number, 1 or more, not {size!r}.")
        schools = tuple(SCHOOLS)
        for name, allowed in (
            ("owner_unknown", KEYS),
            ("refused_keys", KEYS),
            ("auto_schedule", schools),
            ("midnight_shift", schools),
        ):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not set(values) <= set(allowed):
                raise InvalidCourseKeySetting(f"{name} must be a list of {', '.join(allowed)}.")


class Call(NamedTuple):
    """One call that was let in: when, of which key, what, with which answer, under which request ID."""

    at: datetime
    key: str
    operation: str
    school: str
    status: int
    request_id: str


class CourseKey:
    """All of CourseKey. Whoever reads or changes it holds `lock`, if only for the moment that takes."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.settings = CourseKeySettings()
        self.users: dict[str, User] = {}
        self.courses: dict[str, Course] = {}
        self.records: dict[str, TimeRecord] = {}
        self._exported: dict[str, list[TimeRecord]] = {}
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.calls_made: Counter[tuple[str, str]] = Counter()
        self._by_email: dict[tuple[str, str], User] = {}
        self._by_issued_id: dict[tuple[str, str], User] = {}
        self._by_name: dict[tuple[str, str], Course] = {}
        self._by_add_code: dict[tuple[str, str], Course] = {}
        self._last_id = 40_000
        for school in SCHOOLS.values():
            self.add_user(User(self.new_id(), school, "College", "Registrar", OWNER, 1, "", by_hand=True))

    def configure(self, **changes: Any) -> None:
        """Change settings by name. Raises InvalidCourseKeySetting."""
        known = [each.name for each in fields(CourseKeySettings)]
        for name in changes:
            if name not in known:
                raise InvalidCourseKeySetting(f"{name} is no setting of CourseKey; there are {', '.join(known)}.")
        lists = {name: tuple(value) for name, value in changes.items() if isinstance(value, list)}
        self.settings = replace(self.settings, **(changes | lists))

    def new_id(self) -> str:
        """An ID that nothing has yet."""
        self._last_id += 1
        return str(self._last_id)

    def add_user(self, user: User) -> None:
        """Let a new user be found; the caller has made sure that e-mail and issued ID are free."""
        self.users[user.id] = user
        self._index(user)

    def change_user(self, user: User, *, first_name: str, last_name: str, email: str, issued_id: str) -> None:
        """Change what a user is called and found by; the caller has made sure that both are free."""
        del self._by_email[user.school.id, user.email.casefold()]
        self._by_issued_id.pop((user.school.id, user.issued_id), None)
        user.first_name, user.last_name, user.email, user.issued_id = first_name, last_name, email, issued_id
        self._index(user)

    def _index(self, user: User) -> None:
        self._by_email[user.school.id, user.email.casefold()] = user
        if user.issued_id:
            self._by_issued_id[user.school.id, user.issued_id] = user

    def user_by_email(self, school: School, email: str) -> User | None:
        """The user of a school with that e-mail, whatever its case."""
        if email.casefold() == OWNER and school.key in self.settings.owner_unknown:
            return None
        return self._by_email.get((school.id, email.casefold()))

    def user_by_issued_id(self, school: School, issued_id: str) -> User | None:
        """The user of a school with that ID of the school's own records."""
        return self._by_issued_id.get((school.id, issued_id))

    def user(self, school: School, user_id: str) -> User:
        """A user of a school. Raises Refused (404)."""
        user = self.users.get(user_id)
        if user is None or user.school != school:
            raise Refused(404, "unknown_user", "There is no such user at this school.")
        return user

    def add_course(self, course: Course) -> None:
        """Let a new course be found; the caller has made sure that its name is free."""
        self.courses[course.id] = course
        self._by_name[course.school.id, course.sent["name"]] = course
        self._by_add_code[course.school.id, course.add_code] = course

    def rename_course(self, course: Course, name: str) -> None:
        """Change the name a course is found by; the caller has made sure that it is free."""
        del self._by_name[course.school.id, course.sent["name"]]
        course.sent["name"] = name
        self._by_name[course.school.id, name] = course

    def course_by_name(self, school: School, name: str) -> Course | None:
        """The course of a school with exactly that name."""
        return self._by_name.get((school.id, name))

    def course_by_add_code(self, school: School, add_code: str) -> Course:
        """The course of a school that is joined by a code. Raises Refused (404)."""
        course = self._by_add_code.get((school.id, add_code))
        if course is None:
            raise Refused(404, "unknown_course", "There is no course with this join code at this school.")
        return course

    def course(self, school: School, course_id: str) -> Course:
        """A course of a school. Raises Refused (404)."""
        course = self.courses.get(course_id)
        if course is None or course.school != school:
            raise Refused(404, "unknown_course", "There is no such course at this school.")
        return course

    def add_record(self, record: TimeRecord) -> None:
        """Keep a record of time attended, in place of the one of its ID."""
        self.records[record.id] = record
        self.forget_order()

    def forget_order(self) -> None:
        """Records were added or changed: the order they are exported in is made anew."""
        self._exported.clear()

    def exported(self, school: School) -> list[TimeRecord]:
        """The records of a school by day and ID."""
        if school.id not in self._exported:
            rows = [row for row in self.records.values() if row.course.school == school]
            self._exported[school.id] = sorted(rows, key=lambda row: (row.day, int(row.id)))
        return self._exported[school.id]

    def counts(self) -> dict[str, int]:
        """How much there is of everything; enrollments are the active ones."""
        with self.lock:
            courses = list(self.courses.values())
            return {
                "users": len(self.users),
                "courses": len(courses),
                "staff": sum(len(course.staff) for course in courses),
                "enrollments": sum(row.is_active for course in courses for row in course.enrollments.values()),
                "sessions": sum(len(course.sessions) for course in courses),
                "time_records": len(self.records),
                "welcome_mails": sum(user.welcome_mails for user in self.users.values()),
            }

    def settings_as_json(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self.settings)

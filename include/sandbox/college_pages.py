"""The pages of the college: what is in CourseKey now, and what Campus Cafe would tell it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.routing import Route

from sandbox.college.records import SECTION_KEY
from sandbox.coursekey.model import SCHOOLS
from sandbox.rendering import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from sandbox.coursekey.attendance import TimeRecord
    from sandbox.world import World

Row = TypeVar("Row")

ROWS_ON_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows from `start` (from 0) up to `stop` of `count` that a search for `query` found."""

    rows: Sequence[Any]
    start: int
    stop: int
    count: int
    query: str

    @property
    def earlier(self) -> int:
        """Where the page before this one starts."""
        return max(0, self.start - ROWS_ON_A_PAGE)


def routes(world: World) -> list[BaseRoute]:
    """The routes of /college over a world: /coursekey with its courses and users, /campuscafe with its sections."""
    pages = _CollegePages(world)
    section = "/college/campuscafe/" + "/".join(f"{{{name}}}" for name in SECTION_KEY)
    return [
        Route("/college/coursekey", pages.courses, methods=["GET"]),
        Route("/college/coursekey/courses/{course_id}", pages.course, methods=["GET"]),
        Route("/college/coursekey/users", pages.users, methods=["GET"]),
        Route("/college/campuscafe", pages.sections, methods=["GET"]),
        Route(section, pages.section, methods=["GET"]),
    ]


class _CollegePages:
    """Each method is one page."""

    def __init__(self, world: World) -> None:
        self._world = world

    def courses(self, request: Request) -> Response:
        """All courses of CourseKey by school and name, with a search."""
        coursekey = self._world.coursekey
        with coursekey.lock:
            rows: list[dict[str, Any]] = [
                {
                    "course": course,
                    "staff": len(course.staff),
                    "students": sum(row.is_active for row in course.enrollments.values()),
                    "sessions": len(course.sessions),
                }
                for course in sorted(coursekey.courses.values(), key=lambda each: (each.school.id, each.sent["name"]))
            ]
        listed = _listing(request, rows, lambda row: (row["course"].sent["name"], row["course"].sent["title"]))
        counts = coursekey.counts()
        return page(self._world, "coursekey.html", listed=listed, counts=counts, schools=SCHOOLS.values())

    def course(self, request: Request) -> Response:
        """One course with its staff, students and sessions."""
        coursekey = self._world.coursekey
        with coursekey.lock:
            course = coursekey.courses.get(request.path_params["course_id"])
            if course is None:
                raise HTTPException(404, "CourseKey has no such course.")
            shown: dict[str, Any] = {
                "course": course,
                "staff": list(course.staff.values()),
                "students": list(course.enrollments.values()),
                "sessions": sorted(course.sessions.values(), key=lambda each: (each.day, each.starts)),
                "seconds": _seconds(record for record in coursekey.records.values() if record.course is course),
            }
        return page(self._world, "coursekey_course.html", **shown)

    def users(self, request: Request) -> Response:
        """All users of CourseKey, with a search."""
        coursekey = self._world.coursekey
        with coursekey.lock:
            rows = sorted(coursekey.users.values(), key=lambda each: (each.school.id, each.email))
        listed = _listing(request, rows, lambda user: (user.email, user.last_name, user.first_name, user.issued_id))
        return page(self._world, "coursekey_users.html", listed=listed)

    def sections(self, request: Request) -> Response:
        """All sections of Campus Cafe by semester, course and number, with a search."""
        college = self._world.college
        rows = sorted(college.rows("sections"), key=lambda row: tuple(row[name].zfill(12) for name in SECTION_KEY))
        listed = _listing(request, rows, lambda row: (*(row[name] for name in SECTION_KEY), row["title"], row["site"]))
        return page(self._world, "campuscafe.html", listed=listed, counts=college.counts())

    def section(self, request: Request) -> Response:
        """One section with its staff, registrations and meetings."""
        college, key = self._world.college, tuple(request.path_params[name] for name in SECTION_KEY)
        section = college.get("sections", *key)
        if section is None:
            raise HTTPException(404, "Campus Cafe has no such section.")

        def of_section(resource: str) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
            rows = (row for row in college.rows(resource, [key[0]]) if tuple(row[name] for name in SECTION_KEY) == key)
            return [(row, college.get("persons", row["personId"])) for row in rows]

        minutes: Counter[str] = Counter()
        for row, _ in of_section("attendance"):
            minutes[row["personId"]] += 60 * row["hours"] + row["minutes"]
        people: dict[str, Any] = {"staff": of_section("staff"), "registrations": of_section("registrations")}
        people |= {"minutes": minutes}
        return page(self._world, "campuscafe_section.html", section=section, **people)


def _seconds(records: Iterable[TimeRecord]) -> Counter[str]:
    """The awarded time by user ID."""
    seconds: Counter[str] = Counter()
    for record in records:
        seconds[record.user.id] += record.awarded
    return seconds


def _listing(request: Request, rows: Sequence[Row], searched: Callable[[Row], tuple[str, ...]]) -> Listing:
    """The page of the rows that a request asks for with ?q= and ?from=."""
    query, start = request.query_params.get("q", "").strip(), request.query_params.get("from", "0")
    wanted = query.casefold()
    found = [row for row in rows if wanted in " ".join(searched(row)).casefold()] if wanted else rows
    first = int(start) if start.isdecimal() else 0
    shown = found[first : first + ROWS_ON_A_PAGE]
    return Listing(shown, first, first + len(shown), len(found), query)

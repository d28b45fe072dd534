"""The sandbox's own interface to the college and to CourseKey, under /control like the rest of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.college.records import RESOURCES
from sandbox.control import BadBody, answered, json_object
from sandbox.coursekey import courses, rosters, users
from sandbox.coursekey.attendance import ADJUSTMENTS, TimeRecord, adjust
from sandbox.coursekey.model import SCHOOLS, Refused
from sandbox.coursekey.picture import listed_calls, picture

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.control import Handler
    from sandbox.world import World

BY_HAND = {"users": users.create, "courses": courses.create, "staff": rosters.add_staff}
"""What a person can add in CourseKey's own pages, in the order it is done."""


def routes(world: World) -> list[BaseRoute]:
    """The routes of /control/college and /control/coursekey over a world."""
    control = _CollegeControl(world)
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/control/college/day-of-change", control.day_of_change),
        ("PUT", "/control/college/records", control.put_record),
        ("DELETE", "/control/college/records", control.delete_record),
        ("POST", "/control/coursekey", control.configure),
        ("POST", "/control/coursekey/by-hand", control.add_by_hand),
        ("POST", "/control/coursekey/attend", control.attend),
        ("POST", "/control/coursekey/adjust", control.adjust),
        ("PUT", "/control/coursekey/records", control.put_time_record),
        ("GET", "/control/coursekey/state", control.state),
        ("GET", "/control/coursekey/calls", control.calls),
        ("DELETE", "/control/coursekey/calls", control.forget_calls),
    ]
    return [Route(path, answered(handler), methods=[method]) for method, path, handler in table]


class _CollegeControl:
    """What can be done to a world's college and CourseKey; each method is one endpoint."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def day_of_change(self, request: Request) -> Response:
        """POST: a day passes at the college; answers {"changes": [what changed, in words]}."""
        return JSONResponse({"changes": await run_in_threadpool(self._world.play_college_day)})

    async def put_record(self, request: Request) -> Response:
        """PUT {"resource", "record"}: add a record of Campus Cafe or change some fields of one; answers it."""
        resource, record = await _record(request)
        return JSONResponse(self._world.college.put(resource, record))

    async def delete_record(self, request: Request) -> Response:
        """DELETE {"resource", "record"}: a record, of which its key is enough, goes without a trace."""
        resource, record = await _record(request)
        self._world.college.delete(resource, record)
        return Response(status_code=204)

    async def configure(self, request: Request) -> Response:
        """POST settings of CourseKey by name; answers all of them."""
        self._world.coursekey.configure(**await json_object(request))
        return JSONResponse(self._world.coursekey.settings_as_json())

    async def add_by_hand(self, request: Request) -> Response:
        """POST {"users", "courses", "staff"}: lists of what a person adds there, each as its API call says it.

        Staff are told by `course`, the name of the course. Answers what was made, under the same names.
        """
        wanted = await json_object(request)
        for name in wanted:
            if name not in BY_HAND:
                raise BadBody(f"{name} cannot be added by hand; there are {', '.join(BY_HAND)}.")
        made = {name: [self._made(name, row) for row in wanted[name]] for name in BY_HAND if name in wanted}
        return JSONResponse(made, 201)

    def _made(self, name: str, row: Any) -> Any:
        school = SCHOOLS.get(str(row.get("schoolID"))) if isinstance(row, dict) else None
        if school is None:
            raise BadBody(f"Each of the {name} must be an object with a schoolID of {', '.join(SCHOOLS)}.")
        coursekey, given = self._world.coursekey, dict(row)
        with coursekey.lock:
            if name == "staff":
                course = coursekey.course_by_name(school, given.pop("course", ""))
                given = {"courseID": course.id if course else "", "isAdmin": 1, **given}
            try:
                return BY_HAND[name](coursekey, school, given, by_hand=True)[1]
            except Refused as error:
                raise BadBody(str(error)) from error

    async def attend(self, request: Request) -> Response:
        """POST {"from", "to"}: students attend the sessions of those days that have begun; answers {"records": new}."""
        wanted = await json_object(request)
        first, last = (_day(wanted, name) for name in ("from", "to"))
        return JSONResponse({"records": await run_in_threadpool(self._world.attend, first, last)})

    async def adjust(self, request: Request) -> Response:
        """POST {"kind", "count"}: a person raises, lowers, zeroes or deletes the time of so many records."""
        wanted = await json_object(request)
        kind, count = wanted.get("kind"), wanted.get("count", 1)
        if kind not in ADJUSTMENTS:
            raise BadBody(f"kind must be one of {', '.join(ADJUSTMENTS)}, not {kind!r}.")
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise BadBody(f"count must be a whole number, 1 or more, not {count!r}.")
        adjusted = await run_in_threadpool(adjust, self._world.coursekey, kind, count, self._world.now())
        return JSONResponse(
            {"adjusted": [{"recordID": row.id, "before": before, "after": row.awarded} for row, before in adjusted]}
        )

    async def put_time_record(self, request: Request) -> Response:
        """PUT {"recordID", …}: fields of an exported record become what is given, whatever that is; answers it.

        Without a recordID it is new: of the `course` (its name) and the `email` of a `schoolID`, on a `sessionDate`.
        """
        wanted = await json_object(request)
        coursekey = self._world.coursekey
        with coursekey.lock:
            record = coursekey.records.get(wanted.pop("recordID", "")) if "recordID" in wanted else self._new(wanted)
            if record is None:
                raise BadBody("There is no record of this recordID.")
            if unknown := [name for name in wanted if name not in record.as_json()]:
                raise BadBody(f"{unknown[0]} is not a field of a record; the fields are {', '.join(record.as_json())}.")
            record.changes |= wanted
            record.updated_at = self._world.now()
            coursekey.add_record(record)
            return JSONResponse(record.as_json())

    def _new(self, wanted: dict[str, Any]) -> TimeRecord:
        coursekey, day = self._world.coursekey, _day(wanted, "sessionDate")
        school = SCHOOLS.get(str(wanted.pop("schoolID", "")))
        course = school and coursekey.course_by_name(school, str(wanted.pop("course", "")))
        user = school and coursekey.user_by_email(school, str(wanted.pop("email", "")))
        if not course or not user:
            raise BadBody(
                "A new record needs the schoolID of a school, the name of its course and the email of its user."
            )
        return TimeRecord(coursekey.new_id(), course, user, day, self._world.now())

    async def state(self, request: Request) -> Response:
        """GET everything in CourseKey; with ?ids=0 without its IDs and join codes, to compare two states."""
        ids = request.query_params.get("ids", "1") != "0"
        return JSONResponse(await run_in_threadpool(picture, self._world.coursekey, ids=ids))

    async def calls(self, request: Request) -> Response:
        """GET the calls that were let in, the oldest first."""
        return JSONResponse({"calls": listed_calls(self._world.coursekey)})

    async def forget_calls(self, request: Request) -> Response:
        """DELETE: the calls are counted anew."""
        coursekey = self._world.coursekey
        with coursekey.lock:
            coursekey.calls.clear()
            coursekey.calls_made.clear()
        return Response(status_code=204)


def _day(wanted: dict[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(wanted.get(name)))
    except ValueError as error:
        raise BadBody(f"{name} must be a date, YYYY-MM-DD.") from error


async def _record(request: Request) -> tuple[str, dict[str, Any]]:
    wanted = await json_object(request)
    resource, record = wanted.get("resource"), wanted.get("record")
    if resource not in RESOURCES:
        raise BadBody(f"resource must be one of {', '.join(RESOURCES)}, not {resource!r}.")
    if not isinstance(record, dict):
        raise BadBody("record must be an object with the fields of the resource.")
    return resource, record

"""A CourseKey whose interface is deliberately another one: its profile, and a server that speaks it and nothing else.

Other paths and verbs, a bearer token, plain lists in numbered pages, ISO dates, times without colons, words for flags,
JSON lists, minutes, courses named by id, people by number, errors at the root of the body under other statuses. Three
learners may come in one call, and fifty may go.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rosterflow.wire.coursekey_profile import (
    Authentication,
    Bulk,
    Call,
    CourseKeyProfile,
    Errors,
    Field,
    Fields,
    Limits,
    Listing,
    Operation,
    Problem,
    Way,
    Writing,
)

TOKEN = "another-key"
OWNER = "registrar@college.example"
PAGE = 2

_AT: Fields = {"school": Field("campus")}
_WHO: Fields = {
    **_AT,
    "user_id": Field("accountNo"),
    "email": Field("mail", is_personal=True),
    "issued_id": Field("studentNo"),
}
_USER: Fields = {
    **_WHO,
    "id": Field("accountNo"),
    "first_name": Field("given", is_personal=True),
    "last_name": Field("family", is_personal=True),
    "is_teacher": Field("staffAccount", Way.FLAG),
    "welcome": Field("greet", Way.FLAG),
    "password": Field("secret", is_personal=True),
}
_COURSE: Fields = {
    **_AT,
    "id": Field("classNo"),
    "join_code": Field("classNo"),
    "name": Field("short"),
    "title": Field("long"),
    "first": Field("from", Way.DATE),
    "last": Field("to", Way.DATE),
    "starts": Field("begin", Way.TIME),
    "ends": Field("end", Way.TIME),
    "time_zone": Field("tz"),
    "weekdays": Field("on", Way.WEEKDAYS),
    "instructor_name": Field("teachers", is_personal=True),
    "owner": Field("keeper", is_personal=True),
    "admins": Field("helpers", Way.LIST, is_personal=True),
    "attendance_name": Field("mode"),
    "awarded_seconds": Field("creditMinutes", Way.DURATION),
    "synchronous_hours": Field("live", Way.NUMBER),
    "asynchronous_hours": Field("alone", Way.NUMBER),
}
_SESSION: Fields = {
    **_AT,
    "id": Field("slotNo"),
    "on": Field("day", Way.DATE),
    "starts": Field("begin", Way.TIME),
    "ends": Field("end", Way.TIME),
    "time_zone": Field("tz"),
}
_STAFF: Fields = {**_WHO, "is_owner": Field("keeper", Way.FLAG)}
_MEMBER: Fields = {**_WHO, "course": Field("classNo"), "is_active": Field("present", Way.FLAG)}
_ACCOUNT = ("school", "first_name", "last_name", "email", "is_teacher", "issued_id")
_CLASS = tuple(name for name in _COURSE if name not in ("id", "join_code", "owner", "admins"))

OTHER = CourseKeyProfile(
    prefixes={"": "/edge/v9"},
    authentication=Authentication("Authorization", scheme="Bearer"),
    writing=Writing(
        date="%Y-%m-%d",
        time="%H%M",
        true="yes",
        false="no",
        separator=None,
        weekdays={day: day[:2].upper() for day in Writing().weekdays},
        seconds_in_duration=60,
    ),
    listing=Listing(items=None, next=None, parameter="sheet", page_size=PAGE, size_parameter="rows"),
    limits=Limits(calls_per_second=10_000, concurrent_calls=4),
    errors=Errors(
        code=("why",),
        message=("text",),
        field=("about",),
        success=None,
        meanings={
            "E1": Problem.EMAIL_TAKEN,
            "E2": Problem.NAME_TAKEN,
            "E3": Problem.ALREADY_SO,
            "E4": Problem.NOTHING_THERE,
            "E5": Problem.UNKNOWN_COURSE,
            "E6": Problem.UNKNOWN_USER,
        },
        unusable_key=frozenset({418}),
    ),
    request_id="X-Trace",
    course_key="course_id",
    bulk={
        Operation.ENROLL: Bulk(
            "POST", "/learners/many", items="learners", shared=("school",), results=None, status="state", most=3
        ),
        Operation.DROP: Bulk("POST", "/learners/gone", items=None, results="done", body="said", most=50),
    },
    calls={
        Operation.FIND_USERS: Call("GET", "/accounts", _USER, ("school", "email", "issued_id")),
        Operation.CREATE_USER: Call(
            "PUT", "/accounts/new", _USER, (*_ACCOUNT, "welcome", "password"), repeatable=False
        ),
        Operation.UPDATE_USER: Call("PATCH", "/accounts/{user_id}", _USER, _ACCOUNT),
        Operation.FIND_COURSES: Call("GET", "/classes", _COURSE, ("school", "name")),
        Operation.COURSE: Call("GET", "/classes/{course_id}", _COURSE),
        Operation.CREATE_COURSE: Call("PUT", "/classes/new", _COURSE, (*_CLASS, "owner", "admins"), repeatable=False),
        Operation.UPDATE_COURSE: Call("PATCH", "/classes/{course_id}", _COURSE, _CLASS),
        Operation.STAFF: Call("GET", "/classes/{course_id}/teachers", _STAFF),
        Operation.ADD_STAFF: Call(
            "PUT", "/classes/{course_id}/teachers", _STAFF, ("school", "email"), fixed={"role": "teacher"}
        ),
        Operation.REMOVE_STAFF: Call("DELETE", "/classes/{course_id}/teachers/{user_id}", _STAFF),
        Operation.ENROLLMENTS: Call("GET", "/classes/{course_id}/learners", _MEMBER),
        Operation.ENROLL: Call("PUT", "/learners", _MEMBER, ("school", "email", "course"), fixed={"role": "learner"}),
        Operation.DROP: Call("DELETE", "/learners", _MEMBER, ("school", "email", "course")),
        Operation.SESSIONS: Call("GET", "/classes/{course_id}/slots", _SESSION),
        Operation.SET_SESSION: Call(
            "POST", "/classes/{course_id}/slots", _SESSION, ("school", "on", "starts", "ends", "time_zone")
        ),
        Operation.CANCEL_SESSION: Call("DELETE", "/classes/{course_id}/slots/{session_id}", _SESSION),
    },
)


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Other:
    """What the server holds: accounts, and classes with their teachers, learners and slots."""

    def __init__(self) -> None:
        self.url = ""
        self.accounts: dict[str, dict[str, Any]] = {}
        self.classes: dict[str, dict[str, Any]] = {}
        self.traces: list[str] = []
        self.made: list[str] = []
        self.poison = ""
        self.takes_many = True
        self.results_lost = 0
        self._numbers = itertools.count(1)

    def answer(self, method: str, parts: list[str], given: dict[str, Any]) -> Any:
        match method, parts:
            case "GET", ["accounts"]:
                wanted = {name: given[name] for name in ("mail", "studentNo") if name in given}
                return [one for one in self.accounts.values() if wanted.items() <= one.items()]
            case "PUT", ["accounts", "new"]:
                if any(one["mail"] == given["mail"] for one in self.accounts.values()):
                    raise Refused(400, "E1")
                return self.accounts.setdefault(number := self._number("A"), {**given, "accountNo": number})
            case "PATCH", ["accounts", number]:
                self._of(self.accounts, number, "E6").update(given)
                return {}
            case _, ["learners"]:
                return self._learner(method, given)
            case "POST", ["learners", "many"]:
                assert 1 < len(given["learners"]) <= 3
                results = [self._each("PUT", {"campus": given["campus"], **one}) for one in given["learners"]]
                if not self.takes_many:
                    raise Refused(400, "E9")
                return tuple({"state": status, **said} for status, said in results[self.results_lost :])
            case "POST", ["learners", "gone"]:
                results = [self._each("DELETE", one) for one in given["rows"]]
                return {"done": [{"status": status, "said": said} for status, said in results]}
            case _, ["classes", *rest]:
                return self._class(method, rest, given)
        raise Refused(404, "")

    def _class(self, method: str, parts: list[str], given: dict[str, Any]) -> Any:
        match method, parts:
            case "GET", []:
                return [one for one in self.classes.values() if one["short"] == given["short"]]
            case "PUT", ["new"]:
                number = self._number("C")
                keeper = {"accountNo": "A0", "mail": given.pop("keeper"), "keeper": "yes"}
                new = {**given, "classNo": number, "teachers_": {"A0": keeper}, "learners_": {}, "slots_": {}}
                self.classes[number] = new
                return new
        return self._in_class(self._of(self.classes, parts[0], "E5"), method, parts[1:], given)

    def _in_class(self, one: dict[str, Any], method: str, parts: list[str], given: dict[str, Any]) -> Any:
        match method, parts:
            case "GET", []:
                return one
            case "PATCH", []:
                one.update(given)
                return {}
            case "GET", [table]:
                return list(one[f"{table}_"].values())
            case "PUT", ["teachers"]:
                assert given["role"] == "teacher"
                account = self._account(given["mail"])
                if account["accountNo"] in one["teachers_"]:
                    raise Refused(400, "E3")
                one["teachers_"][account["accountNo"]] = {**account, "keeper": "no"}
                return {}
            case "POST", ["slots"]:
                return one["slots_"].setdefault(number := self._number("S"), {**given, "slotNo": number})
            case "DELETE", [table, number]:
                if one[f"{table}_"].pop(number, None) is None:
                    raise Refused(400, "E4")
                return {}
        raise Refused(404, "")

    def _each(self, method: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        try:
            return 200, self._learner(method, given)
        except Refused as error:
            return error.status, {"why": error.why, "text": "No."}

    def _learner(self, method: str, given: dict[str, Any]) -> Any:
        learners = self._of(self.classes, given["classNo"], "E5")["learners_"]
        account = self._account(given["mail"])
        if account["mail"] == self.poison:
            raise Refused(422, "E9")
        if method == "PUT":
            assert given["role"] == "learner"
        elif account["accountNo"] not in learners:
            raise Refused(400, "E4")
        learners[account["accountNo"]] = {**account, "present": "yes" if method == "PUT" else "no"}
        return {}

    def _account(self, mail: str) -> dict[str, Any]:
        for one in self.accounts.values():
            if one["mail"] == mail:
                return one
        raise Refused(400, "E6")

    def _of(self, table: dict[str, dict[str, Any]], number: str, why: str) -> dict[str, Any]:
        if number not in table:
            raise Refused(400, why)
        return table[number]

    def _number(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"


@contextmanager
def serving() -> Iterator[Other]:
    other = Other()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            other.traces.append(self.headers.get("X-Trace", ""))
            status, found = 200, None
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(418, "")
                parts = [unquote(part) for part in target.path.split("/")[1:]]
                assert parts[:2] == ["edge", "v9"], self.path
                given = json.loads(body) if body else {}
                given = given if isinstance(given, dict) else {"rows": given}
                other.made.append(f"{self.command} {'/'.join(parts[2:])}")
                with lock:
                    found = other.answer(self.command, parts[2:], {**query, **given})
                if isinstance(found, list):
                    sheet, rows = int(query["sheet"]), int(query["rows"])
                    found = found[(sheet - 1) * rows : sheet * rows]
            except Refused as error:
                status, found = error.status, {"why": error.why, "text": f"No: {query or json.loads(body or b'{}')}"}
            data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _do

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    other.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield other
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""CourseKey's roster side under one auth key: users, courses, staff, sessions, enrollments.

The vendor's interface is not public; all that is assumed of it is in its profile
(:mod:`rosterflow.wire.coursekey_profile`, docs/coursekey-contract.md). What is safe to repeat is repeated; a create
whose answer was lost is not, but raises ``UnknownOutcome``: the caller looks it up first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Self, TypeVar
from uuid import uuid4

import httpx
import msgspec
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from rosterflow.domain.coursekey.port import UnknownOutcome
from rosterflow.domain.coursekey.remote import (
    AttendanceName,
    Course,
    CourseData,
    Enrolled,
    Session,
    SessionData,
    StaffMember,
    User,
    UserData,
)
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.coursekey_answers import Refusal, lost, understood
from rosterflow.hooks.coursekey_bulk import Gathering
from rosterflow.hooks.coursekey_clients import Clients
from rosterflow.hooks.coursekey_connection import Settings, settings_of
from rosterflow.hooks.coursekey_pace import Pace
from rosterflow.wire import coursekey_json
from rosterflow.wire.coursekey_json import Unreadable
from rosterflow.wire.coursekey_profile import PROFILE, CourseKeyProfile, Operation, Problem

# httpx writes the address of every call to its log at INFO, and an address may name a person's e-mail.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

TIMEOUT = httpx.Timeout(connect=10, read=60, write=60, pool=None)
"""Seconds (reference coursekey §5.1)."""

LONGEST_WAIT = 20.0
"""Seconds we wait ourselves; when CourseKey asks for more, the entry goes back to the queue."""

Record = TypeVar("Record", bound=msgspec.Struct)


class CourseKeyHook(BaseHook):
    """Talks to CourseKey under one auth key; use it as an asynchronous context.

    :param coursekey_conn_id: an Airflow connection of type ``coursekey``: the password is the auth key.
    :param profile: what is assumed of CourseKey's interface.
    :param base_url: COURSEKEY_BASE_URL; without it the connection's host counts.
    :param sleep: how to wait between two calls.
    """

    conn_name_attr: ClassVar[str] = "coursekey_conn_id"
    default_conn_name: ClassVar[str] = "coursekey_default"
    conn_type: ClassVar[str] = "coursekey"
    hook_name: ClassVar[str] = "CourseKey"

    def __init__(
        self,
        coursekey_conn_id: str = default_conn_name,
        profile: CourseKeyProfile = PROFILE,
        *,
        base_url: str = "",
        timeout: httpx.Timeout = TIMEOUT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__()
        self.coursekey_conn_id = coursekey_conn_id
        self.calls = 0
        self._profile = profile
        self._base_url = base_url
        self._timeout = timeout
        self._sleep = sleep
        self._settings: Settings | None = None
        self._clients: Clients | None = None
        self._pace: Pace | None = None
        self._gathering = Gathering(profile, self._sent_alone, self._understood)

    def settings(self) -> Settings:
        """What the connection says; looked up once, and best before an event loop runs.

        :raises FatalError: ``connection-missing``, ``connection-invalid``.
        """
        if self._settings is None:
            try:
                connection = self.get_connection(self.coursekey_conn_id)
            except AirflowNotFoundException:
                words = f"Airflow has no connection {self.coursekey_conn_id!r}."
                raise FatalError(Code.CONNECTION_MISSING, words) from None
            self._settings = settings_of(connection, self._profile, self._base_url)
        return self._settings

    async def __aenter__(self) -> Self:
        """Open it; its connections are closed at the end."""
        self._clients = Clients(self._timeout)
        self._pace = Pace(self.settings().limits, self._sleep)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        if self._clients is not None:
            await self._clients.close()
            self._clients = None

    # -- users ---------------------------------------------------------------------------------------------------

    async def find_user(self, school: str, *, email: str = "", issued_id: str = "") -> User | None:
        """The account with this e-mail address (in any case), or with this Campus Cafe ID.

        :raises Refusal: when two accounts carry one ID.
        """
        found = await self._all(
            Operation.FIND_USERS, User, school=school, email=email or None, issued_id=issued_id or None
        )
        found = [user for user in found if not email or user.email.casefold() == email.casefold()]
        if len(found) > 1:
            raise Refusal(Problem.ISSUED_ID_TAKEN, "Two accounts of the school carry one issued ID.")
        return found[0] if found else None

    async def create_user(
        self, school: str, data: UserData, *, welcome: bool = False, password: str | None = None
    ) -> User:
        """Make an account; ``welcome`` has CourseKey mail its owner how to log in."""
        sent = msgspec.structs.asdict(data) | {"welcome": welcome, "password": password}
        return await self._one(Operation.CREATE_USER, User, school=school, **sent)

    async def update_user(self, school: str, user_id: str, data: UserData) -> None:
        """Bring an account up to date; never mails and never touches a password."""
        await self._done(Operation.UPDATE_USER, school=school, user_id=user_id, **msgspec.structs.asdict(data))

    # -- courses and their staff ---------------------------------------------------------------------------------

    async def find_course(self, school: str, name: str) -> Course | None:
        """The course with exactly this short name."""
        found = await self._all(Operation.FIND_COURSES, Course, school=school, name=name)
        return next((course for course in found if course.name == name), None)

    async def course(self, school: str, course_id: str) -> Course | None:
        """A course by its id; ``None`` when it is gone."""
        try:
            return await self._one(Operation.COURSE, Course, school=school, course_id=course_id)
        except Refusal as error:
            if error.problem is Problem.UNKNOWN_COURSE:
                return None
            raise

    async def create_course(self, school: str, data: CourseData, *, owner: str, admins: Sequence[str] = ()) -> Course:
        """Make a course; owner and admins are e-mail addresses of accounts of the school."""
        sent = msgspec.structs.asdict(data) | {"owner": owner, "admins": admins}
        return await self._one(Operation.CREATE_COURSE, Course, school=school, **_said(sent))

    async def update_course(self, school: str, course_id: str, data: CourseData) -> None:
        """Bring a course up to date; owner and admins stay as they are."""
        sent = _said(msgspec.structs.asdict(data))
        await self._done(Operation.UPDATE_COURSE, school=school, course_id=course_id, **sent)

    async def staff(self, school: str, course_id: str) -> tuple[StaffMember, ...]:
        """Everybody with an instructor's rights in a course, its owner too."""
        return tuple(await self._all(Operation.STAFF, StaffMember, school=school, course_id=course_id))

    async def add_staff(self, school: str, course_id: str, email: str) -> None:
        """Give somebody an instructor's rights in a course. Adding twice is no error."""
        await self._unless(Problem.ALREADY_SO, Operation.ADD_STAFF, school=school, course_id=course_id, email=email)

    async def remove_staff(self, school: str, course_id: str, user_id: str) -> bool:
        """Take these rights away; whether the person had them. CourseKey refuses it of the owner."""
        return await self._unless(
            Problem.NOTHING_THERE, Operation.REMOVE_STAFF, school=school, course_id=course_id, user_id=user_id
        )

    # -- enrollments ---------------------------------------------------------------------------------------------

    async def enrollments(self, school: str, course_id: str) -> tuple[Enrolled, ...]:
        """The students of a course, dropped ones too."""
        return tuple(await self._all(Operation.ENROLLMENTS, Enrolled, school=school, course_id=course_id))

    async def enroll(self, school: str, course: Course, email: str) -> None:
        """Enroll a student, with a student's rights: there is no way to ask for others. Twice is no error."""
        where = self._named(course)
        await self._unless(Problem.ALREADY_SO, Operation.ENROLL, school=school, course=where, email=email)

    async def drop(self, school: str, course: Course, email: str) -> bool:
        """Drop a student; whether there was somebody to drop."""
        where = self._named(course)
        return await self._unless(Problem.NOTHING_THERE, Operation.DROP, school=school, course=where, email=email)

    # -- sessions ------------------------------------------------------------------------------------------------

    async def sessions(self, school: str, course_id: str) -> tuple[Session, ...]:
        """The sessions of a course."""
        return tuple(await self._all(Operation.SESSIONS, Session, school=school, course_id=course_id))

    async def set_session(self, school: str, course_id: str, data: SessionData) -> Session:
        """Make a session, or set its end when there is one on that date and start."""
        sent = msgspec.structs.asdict(data)
        return await self._one(Operation.SET_SESSION, Session, school=school, course_id=course_id, **sent)

    async def cancel_session(self, school: str, course_id: str, session_id: str) -> bool:
        """Cancel a session; whether there was one."""
        return await self._unless(
            Problem.NOTHING_THERE,
            Operation.CANCEL_SESSION,
            school=school,
            course_id=course_id,
            session_id=session_id,
        )

    # -- looking around ------------------------------------------------------------------------------------------

    async def attendance_names(self, school: str) -> tuple[str, ...] | None:
        """Names of the school's attendance configurations; ``None`` when this CourseKey does not tell them."""
        if Operation.ATTENDANCE_NAMES not in self._profile.calls:
            return None
        found = await self._all(Operation.ATTENDANCE_NAMES, AttendanceName, school=school)
        return tuple(one.name for one in found)

    def test_connection(self) -> tuple[bool, str]:
        """Say in one sentence what works; Airflow's Test button shows it."""
        return asyncio.run(self._tested())

    async def _tested(self) -> tuple[bool, str]:
        try:
            async with CourseKeyHook(self.coursekey_conn_id, self._profile, timeout=self._timeout) as probe:
                school = probe.settings().school
                if not school:
                    return (
                        False,
                        "Name one of the key's schools in the field School ID: a key is only good for its own.",
                    )
                names = await probe.attendance_names(school)
        except RosterflowError as error:
            return False, f"{error.message} {error.remedy}"
        told = f" Its attendance names: {', '.join(names)}." if names else ""
        return True, f"Reached CourseKey; the auth key may use school {school}.{told}"

    # -- calls ---------------------------------------------------------------------------------------------------

    def takes_many(self, operation: Operation) -> bool:
        """Whether calls of an operation that are made at the same time go out as one."""
        return operation in self._profile.bulk

    def _named(self, course: Course) -> str:
        return course.join_code if self._profile.course_key == "join_code" else course.id

    async def _one(self, operation: Operation, kind: type[Record], **values: Any) -> Record:
        answer = await self._sent(operation, values)
        call = self._profile.calls[operation]
        try:
            return coursekey_json.record(self._profile, call, kind, answer)
        except Unreadable as error:
            raise lost(call, operation, f"CourseKey's answer to '{operation}': {error}.", Code.BAD_RESPONSE) from None

    async def _all(self, operation: Operation, kind: type[Record], **values: Any) -> list[Record]:
        """Every item of a list, page by page.

        :raises RetryableError: ``bad-response`` when a page is none, ``cursor-repeated`` when it leads back.
        """
        call, listing = self._profile.calls[operation], self._profile.listing
        found: list[Record] = []
        seen: set[str] = set()
        page = "1" if listing.page_size else None
        while page not in seen:
            seen.add(page or "")
            paging = {listing.parameter: page} if page else {}
            if listing.size_parameter:
                paging[listing.size_parameter] = str(listing.page_size)
            answer = await self._sent(operation, values, paging)
            try:
                rows, following = coursekey_json.items(self._profile, answer)
                found += [coursekey_json.record(self._profile, call, kind, row) for row in rows]
            except Unreadable as error:
                words = f"CourseKey's answer to '{operation}': {error}."
                raise RetryableError(Code.BAD_RESPONSE, words) from None
            if listing.page_size:
                following = str(int(page or 1) + 1) if len(rows) >= listing.page_size else None
            if following is None:
                return found
            page = following
        raise RetryableError(Code.CURSOR_REPEATED, f"CourseKey's pages of '{operation}' go in a circle.")

    async def _done(self, operation: Operation, **values: Any) -> None:
        await self._sent(operation, values)

    async def _unless(self, so: Problem, operation: Operation, **values: Any) -> bool:
        """Do it; whether it was not so already."""
        try:
            await self._sent(operation, values)
        except Refusal as error:
            if error.problem is so:
                return False
            raise
        return True

    async def _sent(self, operation: Operation, values: dict[str, Any], paging: dict[str, str] | None = None) -> Any:
        """Send it, and again while that is safe and may help; its answer's JSON."""
        profile = self._profile
        request = coursekey_json.request(profile, profile.calls[operation], values)
        if operation in profile.bulk:
            return await self._gathering.through(operation, request)
        return await self._sent_alone(operation, request, paging)

    async def _sent_alone(
        self, operation: Operation, request: coursekey_json.Request, paging: dict[str, str] | None = None
    ) -> Any:
        said, profile = self.settings(), self._profile
        message = httpx.Request(
            request.method,
            said.base + request.path,
            params={**request.query, **(paging or {}), **said.query} or None,
            json=request.body,
            headers=said.headers | ({profile.request_id: uuid4().hex} if profile.request_id else {}),
        )

        async def once() -> Any:
            return self._understood(operation, request, await self._answered(operation, message))

        return await self._tried(once)

    def _understood(self, operation: Operation, request: coursekey_json.Request, answer: httpx.Response) -> Any:
        return understood(self._profile, operation, request, answer, self.settings().key)

    async def _tried(self, once: Callable[[], Awaitable[Any]]) -> Any:
        assert self._pace is not None
        tries = AsyncRetrying(
            stop=stop_after_attempt(self.settings().limits.attempts),
            wait=_wait,
            sleep=self._sleep,
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        pace = self._pace

        async def paced() -> Any:
            try:
                return await pace.run(once)
            except RetryableError as error:
                if error.retry_after is not None and error.retry_after <= LONGEST_WAIT:
                    pace.pause(error.retry_after)
                raise

        return await tries(paced)

    async def _answered(self, operation: Operation, message: httpx.Request) -> httpx.Response:
        assert self._clients is not None, "use the hook as an asynchronous context"
        self.calls += 1
        try:
            return await self._clients.send(message)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            why = error.__class__.__name__
            words = f"CourseKey could not be reached to {operation} ({why})."
            raise RetryableError(Code.UNREACHABLE, words) from None
        except httpx.HTTPError as error:
            why = error.__class__.__name__
            words = f"CourseKey gave no answer to '{operation}' ({why})."
            raise lost(self._profile.calls[operation], operation, words) from None


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """A course without an attendance name or admins when it has none."""
    return {name: value for name, value in values.items() if value or name not in ("attendance_name", "admins")}


def _may_pass(error: BaseException) -> bool:
    if not isinstance(error, RetryableError) or isinstance(error, UnknownOutcome):
        return False
    return (error.retry_after or 0) <= LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    """As long as we are asked to: that is the pace's; else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = isinstance(error, RetryableError) and error.retry_after is not None
    return 0.0 if asked else wait_exponential_jitter(max=10)(state)

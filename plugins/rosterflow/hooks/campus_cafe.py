"""Campus Cafe over HTTP: semesters, sections, persons, staff and registrations, page by page, or what changed of them.

All that is assumed of the interface is in its profile (:mod:`rosterflow.wire.campus_cafe_profile`,
docs/coursekey-contract.md). A list that changes while it is read is read again; one that never fits is not whole.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from rosterflow import __version__
from rosterflow.domain.attendance.module import Row, Rows
from rosterflow.domain.coursekey.campus import Reading, Resource
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.coursekey_connection import host_of, invalid, is_address
from rosterflow.hooks.retry_after import retry_after
from rosterflow.wire.campus_cafe_profile import PROFILE, CampusCafeProfile, Table, Unusable, key_of, record

# httpx writes the address of every call to its log at INFO, and an address may name a person.
logging.getLogger("httpx").setLevel(logging.WARNING)

TIMEOUT = httpx.Timeout(connect=5, read=60, write=60, pool=5)
LONGEST_WAIT = 60.0
"""Seconds we wait ourselves; when Campus Cafe asks for more, the task ends and Airflow waits."""

PASSES = 3
"""How often a list is read at most while it changes under our hands."""


Answer = TypeVar("Answer")


class Page(msgspec.Struct, frozen=True):
    """One page of a list: its rows, how many pages there are, and how many rows on all of them."""

    rows: tuple[Any, ...]
    pages: int
    total: int


class CampusCafeHook(BaseHook):
    """Talks to one college's Campus Cafe.

    :param campus_cafe_conn_id: an Airflow connection of type ``campus_cafe``: host is its address, password the token.
    :param page_size: rows asked for a page.
    :param attempts: how often a page is asked for at most.
    :param sleep: how to wait between two calls.
    """

    conn_name_attr: ClassVar[str] = "campus_cafe_conn_id"
    default_conn_name: ClassVar[str] = "campus_cafe_default"
    conn_type: ClassVar[str] = "campus_cafe"
    hook_name: ClassVar[str] = "Campus Cafe"

    def __init__(
        self,
        campus_cafe_conn_id: str = default_conn_name,
        profile: CampusCafeProfile = PROFILE,
        *,
        page_size: int = 500,
        timeout: httpx.Timeout = TIMEOUT,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self.campus_cafe_conn_id = campus_cafe_conn_id
        self._profile = profile
        self._page_size = page_size
        self._timeout = timeout
        self._attempts = attempts
        self._sleep = sleep
        self._client: httpx.Client | None = None

    def get_conn(self) -> httpx.Client:
        """The one HTTP client of this hook, made at the first call.

        :raises FatalError: ``connection-missing``; ``connection-invalid`` when it has no usable host or no token.
        """
        if self._client is None:
            try:
                connection = self.get_connection(self.campus_cafe_conn_id)
            except AirflowNotFoundException:
                words = f"Airflow has no connection {self.campus_cafe_conn_id!r}."
                raise FatalError(Code.CONNECTION_MISSING, words) from None
            host, token = host_of(connection), connection.password or ""
            if not is_address(host):
                raise invalid(connection, "host must be Campus Cafe's address, like https://college.example")
            if not re.fullmatch("[!-~]+", token):
                raise invalid(connection, "the token is missing, or holds a blank or a letter that no token has")
            prefix = self._profile.prefix
            self._client = httpx.Client(
                base_url=host.rstrip("/").removesuffix(prefix) + prefix,
                headers={
                    self._profile.header: f"{self._profile.scheme} {token}".strip(),
                    "Accept": "application/json",
                    "User-Agent": f"rosterflow/{__version__}",
                },
                timeout=self._timeout,
            )
        return self._client

    def __enter__(self) -> Self:
        """Use the hook; its connections are closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- reading -------------------------------------------------------------------------------------------------

    def read(self, resource: Resource, *, modified_since: datetime | None, semesters: Sequence[str]) -> Reading:
        """The records of a resource; see :class:`rosterflow.domain.coursekey.port.CampusCafe`."""
        table = self._profile.tables[resource]
        query: dict[str, Any] = {self._profile.page_size: self._page_size}
        if modified_since is not None:
            query[self._profile.modified_since] = modified_since.astimezone(UTC).strftime(self._profile.since)
        asked = [{**query, self._profile.semester: one} for one in semesters] if table.of_a_semester else []
        made, key = partial(record, self._profile, resource), partial(key_of, self._profile, resource)
        parts = [self.listed(resource, table, one, made, key) for one in asked or [query]]
        return Reading(
            resource,
            tuple(one for part in parts for one in part.rows),
            tuple(problem for part in parts for problem in part.problems),
            tuple(gap for part in parts for gap in part.gaps),
        )

    def listed(
        self,
        name: str,
        table: Table,
        query: Mapping[str, Any],
        made: Callable[[Mapping[str, Any]], Row],
        key: Callable[[Row], object],
    ) -> Rows[Row]:
        """A list, read again while it changes under our hands: rows that move to its end push others off our page.

        :param made: a row as a record; raises :class:`Unusable`.
        :param key: what tells a record from others.
        """
        for _ in range(PASSES):
            read = self._pass(name, table, query, made, key)
            if not read.gaps:
                break
        return read

    def _pass(
        self,
        name: str,
        table: Table,
        query: Mapping[str, Any],
        made: Callable[[Mapping[str, Any]], Row],
        key: Callable[[Row], object],
    ) -> Rows[Row]:
        """Every page once.

        :raises RosterflowError: what the first page's error is; that of a later one is a gap.
        """
        records: dict[object, Row] = {}
        problems: dict[str, None] = {}
        gaps: list[str] = []
        number, pages, total, nameless = 1, 1, 0, 0
        while number <= pages:
            try:
                page = self._page(table, {**query, self._profile.page: number})
            except RosterflowError as error:
                if number == 1:
                    raise
                gaps.append(f"{name}: page {number} of {pages} could not be read ({error.code})")
                break
            for row in page.rows:
                try:
                    one = made(row)
                except Unusable as error:
                    nameless += not error.is_named and f"{name}: {error}" in problems
                    problems[f"{name}: {error}"] = None
                else:
                    records[key(one)] = one
            number, pages, total = number + 1, page.pages, page.total
        found = len(records) + len(problems) + nameless
        if not gaps and found != total:
            gaps.append(f"{name}: {found} different rows came of {total}")
        return Rows(tuple(records.values()), tuple(problems), tuple(gaps))

    def _page(self, table: Table, query: Mapping[str, Any]) -> Page:
        answer = self._got(table.path, query)
        rows, pages, total = (
            answer.get(name) for name in (self._profile.items, self._profile.pages, self._profile.total)
        )
        if not isinstance(rows, list) or not isinstance(pages, int) or not isinstance(total, int):
            raise RetryableError(Code.BAD_RESPONSE, f"Campus Cafe's answer to {table.path} is no page of a list.")
        return Page(tuple(row if isinstance(row, dict) else {} for row in rows), pages, total)

    # -- passwords -----------------------------------------------------------------------------------------------

    def initial_password(self, person_id: str) -> str | None:
        """The password a new account is to begin with; ``None`` when the person has none. For one call alone."""
        path = self._profile.initial_password.format(person=quote(person_id, safe=""))
        try:
            return str(self._got(path, {}).get(self._profile.password) or "") or None
        except NotThere:
            return None

    def test_connection(self) -> tuple[bool, str]:
        """Say in one sentence what works; Airflow's Test button shows it."""
        with CampusCafeHook(self.campus_cafe_conn_id, self._profile, timeout=self._timeout, attempts=1) as probe:
            try:
                found = probe.read(Resource.SEMESTERS, modified_since=None, semesters=())
            except RosterflowError as error:
                return False, f"{error.message} {error.remedy}"
        return True, f"Reached Campus Cafe and authenticated; it has {len(found.records)} semesters."

    # -- calls ---------------------------------------------------------------------------------------------------

    def _got(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that a GET answers, asked for again while that may help."""
        return self.tried(lambda: self.once("GET", path, query))

    def tried(self, call: Callable[[], Answer]) -> Answer:
        """What a call that is safe to repeat comes to, made again while that may help."""
        tries = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=_wait,
            sleep=self._sleep,
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        return tries(call)

    def once(self, method: str, path: str, query: Mapping[str, Any], body: object = None) -> dict[str, Any]:
        """The JSON object that a call answers.

        :raises RosterflowError: the class says what happens next.
        """
        where = f"/{path.split('/')[1]}"  # an address may hold a person's ID: only the resource is named
        try:
            answer = self.get_conn().request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            why = error.__class__.__name__
            raise RetryableError(Code.UNREACHABLE, f"Campus Cafe gave no answer to {where} ({why}).") from None
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer, where)
        try:
            found = msgspec.json.decode(answer.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RetryableError(Code.BAD_RESPONSE, f"Campus Cafe's answer to {where} is cut off or no JSON.")
        return found


class NotThere(FatalError):
    """Campus Cafe does not have what was asked for, or the address is not its own."""


def _refusal(answer: httpx.Response, where: str) -> RosterflowError:
    status = answer.status_code
    if status == 401:
        return FatalError(Code.UNAUTHORIZED, f"Campus Cafe does not accept the token ({where}).")
    if status == 403:
        return FatalError(Code.FORBIDDEN, f"Campus Cafe's token may not use {where}.")
    if status == 404:
        return NotThere(Code.BAD_RESPONSE, f"Campus Cafe has nothing at {where}.")
    if status >= 500 or status in (408, 425, 429):
        code = Code.THROTTLED if status == 429 else Code.SERVER_ERROR
        words = f"Campus Cafe answered {where} with {status}."
        return RetryableError(code, words, retry_after=retry_after(answer.headers))
    return FatalError(Code.BAD_RESPONSE, f"Campus Cafe refused {where} with {status}.")


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and (error.retry_after or 0) <= LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RetryableError) else None
    return asked if asked is not None else wait_exponential_jitter(max=20)(state)

"""Canvas LMS: SIS imports, provisioning reports and the few REST calls that CSV cannot replace.

API: https://developerdocs.instructure.com/services/canvas . One token, ``Authorization: Bearer``; ids are asked for as
strings because they may exceed 2^53 (Canvas contract §9.1). Reads are repeated after a time-out or a throttle, writes
are not: the caller looks first whether the write arrived.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit

import httpx
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from rosterflow.domain.errors import REMEDIES, Code, FatalError, RetryableError, RosterflowError, RowError
from rosterflow.domain.model import Term
from rosterflow.hooks.canvas_answers import instant, parsed, refusal, skew
from rosterflow.hooks.canvas_connection import base_of, headers_of, tls
from rosterflow.hooks.canvas_records import (
    Administrator,
    ImportMessage,
    Report,
    SisImport,
    administrator_of,
    report_of,
    sis_import_of,
)

TIMEOUT = httpx.Timeout(connect=5, read=60, write=120, pool=5)
LONGEST_WAIT = 60.0
"""Seconds we wait ourselves; when Canvas asks for more, the task ends and Airflow waits without holding a slot."""
QUOTA_LOW = 150.0
QUOTA_PAUSE = 2.0
"""Below this much of the rate limit's bucket we pause before the next call; it refills 10 units a second (§9.4)."""

CLOCK_SKEW = 60.0

PERMISSIONS = ("import_sis", "manage_sis", "read_reports", "read_course_list")
"""What every sync needs in the root account."""

SEES_ADMINISTRATORS = "manage_account_memberships"
"""The permission that :meth:`CanvasHook.administrators` needs."""


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and (error.retry_after or 0) <= LONGEST_WAIT


class CanvasHook(BaseHook):
    """Talks to one Canvas root account.

    :param canvas_conn_id: an Airflow connection of type ``canvas``: host is the base URL, password the access token.
    :param timeout: how long to wait for an answer.
    :param attempts: how often a call that is safe to repeat is sent at most.
    :param sleep: how to wait between two calls.
    """

    conn_name_attr: ClassVar[str] = "canvas_conn_id"
    default_conn_name: ClassVar[str] = "canvas_default"
    conn_type: ClassVar[str] = "canvas"
    hook_name: ClassVar[str] = "Canvas LMS"

    def __init__(
        self,
        canvas_conn_id: str = default_conn_name,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        attempts: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self.canvas_conn_id = canvas_conn_id
        self._timeout = timeout
        self._attempts = attempts
        self._sleep = sleep
        self._client: httpx.Client | None = None
        self._remaining = float("inf")

    def settings(self) -> tuple[str, dict[str, str]]:
        """The API's base URL and the headers of every call, token included.

        :raises FatalError: ``connection-missing``; ``connection-invalid`` when it has no usable host or no token.
        """
        try:
            connection = self.get_connection(self.canvas_conn_id)
        except AirflowNotFoundException:
            raise FatalError(Code.CONNECTION_MISSING, f"Airflow has no connection {self.canvas_conn_id!r}.") from None
        return base_of(connection), headers_of(connection)

    def get_conn(self) -> httpx.Client:
        """The one HTTP client of this hook, made at the first call."""
        if self._client is None:
            base, headers = self.settings()
            self._client = httpx.Client(base_url=base, headers=headers, timeout=self._timeout, verify=tls())
        return self._client

    def __enter__(self) -> Self:
        """Use the hook; its connections are closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- SIS imports (Canvas contract §2) ------------------------------------------------------------------------

    def post_sis_import(self, archive: bytes) -> SisImport:
        """Queue a zip of CSV files; Canvas answers at once with the import in state ``created``.

        :raises RetryableError: ``unreachable`` or ``server-error`` when it is *not known* whether the import arrived:
            look with :meth:`sis_imports_since` before posting again.
        :raises FatalError: ``forbidden`` when Canvas does not take it.
        """
        try:
            answer = self._write(
                "POST",
                "/accounts/self/sis_imports",
                params={"import_type": "instructure_csv", "extension": "zip"},
                content=archive,
                headers={"Content-Type": "application/zip"},
            )
        except RowError as error:
            raise FatalError(Code.FORBIDDEN, error.message) from None
        return sis_import_of(answer.json())

    def sis_import(self, import_id: str) -> SisImport:
        """The state of one import (GET /accounts/self/sis_imports/:id)."""
        return sis_import_of(self._read(f"/accounts/self/sis_imports/{import_id}").json())

    def sis_imports_since(self, moment: datetime) -> Iterator[SisImport]:
        """Every import created since a moment, newest first (GET /accounts/self/sis_imports)."""
        parameters = {"created_since": moment.astimezone(UTC).isoformat(), "per_page": 100}
        for item in self._listed("/accounts/self/sis_imports", parameters, wrapped_as="sis_imports"):
            yield sis_import_of(item)

    def sis_import_messages(self, import_id: str) -> Iterator[ImportMessage]:
        """Every message about a row, page by page (GET /accounts/self/sis_imports/:id/errors)."""
        path = f"/accounts/self/sis_imports/{import_id}/errors"
        for item in self._listed(path, {"per_page": 100}, wrapped_as="sis_import_errors"):
            yield ImportMessage(item["file"] or "", item["row"], item["message"])

    # -- provisioning report (Canvas contract §10.10) ------------------------------------------------------------

    def start_provisioning_report(self, kinds: tuple[str, ...]) -> Report:
        """Order a report of all ``accounts``, ``terms``, ``courses`` or ``sections``, deleted ones included.

        It is ordered for the root account, because for a sub-account it lists only its direct children.
        """
        form = {f"parameters[{kind}]": "true" for kind in kinds}
        form |= {"parameters[include_deleted]": "true", "parameters[skip_message]": "true"}
        return report_of(self._write("POST", "/accounts/self/reports/provisioning_csv", data=form).json())

    def provisioning_report(self, report_id: str) -> Report:
        """The state of an ordered report (GET /accounts/self/reports/provisioning_csv/:id)."""
        return report_of(self._read(f"/accounts/self/reports/provisioning_csv/{report_id}").json())

    def download(self, url: str) -> bytes:
        """A report's file. Its address may be another host's, which then gets no token of ours."""
        base, headers = self.settings()
        own = headers if urlsplit(url)[:2] == urlsplit(base)[:2] else {}

        def fetch() -> httpx.Response:
            # Canvas sends on to its file store; httpx takes the token off when the host changes.
            with httpx.Client(headers=own, timeout=self._timeout, follow_redirects=True, verify=tls()) as client:
                return self._send(client, "GET", url)

        return self._tried(fetch).content

    # -- courses that CSV cannot steer (Canvas contract §5.4, §10.3) ----------------------------------------------

    def conclude_course(self, sis_id: str) -> None:
        """Conclude a course that CSV could not, because somebody changed its state by hand (DELETE /courses/:id)."""
        self._write("DELETE", _course_path(sis_id), params={"event": "conclude"})

    def course_event(self, sis_id: str, event: str) -> None:
        """``offer`` publishes or re-opens, ``claim`` unpublishes, ``undelete`` brings back (PUT /courses/:id).

        :raises RowError: ``row-refused`` with Canvas's words, for instance when it has graded work.
        """
        self._write("PUT", _course_path(sis_id), data={"course[event]": event})

    def course_state(self, sis_id: str) -> str | None:
        """A course's ``workflow_state``: unpublished, available, completed (GET /courses/:id).

        API: https://developerdocs.instructure.com/services/canvas/resources/courses

        :returns: ``None`` when Canvas has no such course.
        """
        try:
            return str(self._read(_course_path(sis_id)).json()["workflow_state"])
        except RowError:
            return None

    # -- looking around ------------------------------------------------------------------------------------------

    def identity(self) -> str:
        """Which Canvas this is: its address and its root account's uuid (GET /accounts/self)."""
        root = self._read("/accounts/self").json()
        return f"{urlsplit(self.settings()[0]).netloc} {root.get('uuid') or root['id']}"

    def account_exists(self, sis_id: str) -> bool:
        """Whether an account with this SIS id is there and may be seen (GET /accounts/sis_account_id:…)."""
        try:
            self._read(f"/accounts/sis_account_id:{quote(sis_id, safe='')}")
        except RowError:
            return False
        return True

    def terms(self) -> Iterator[Term]:
        """The root account's terms that have a SIS id and are not deleted (GET /accounts/self/terms).

        API: https://developerdocs.instructure.com/services/canvas/resources/enrollment_terms

        :raises RetryableError: ``bad-response`` when Canvas lists none, not even its default term.
        """
        listed = list(self._listed("/accounts/self/terms", {"per_page": 100}, wrapped_as="enrollment_terms"))
        if not listed:
            raise RetryableError(Code.BAD_RESPONSE, "Canvas lists no terms at all, not even its default one.")
        for item in listed:
            if item.get("sis_term_id"):
                start, end = (instant(item[name]) if item[name] else None for name in ("start_at", "end_at"))
                yield Term(item["sis_term_id"], item["name"], start, end)

    def roles(self, account: str = "") -> dict[str, str]:
        """Base types of the roles in use in an account, or the root account, by name (GET /accounts/:id/roles)."""
        where = f"sis_account_id:{quote(account, safe='')}" if account else "self"
        listed = self._listed(f"/accounts/{where}/roles", {"show_inherited": "true", "per_page": 100})
        return {str(item["label"]): str(item["base_role_type"]) for item in listed}

    def administrators(self, account: str) -> list[Administrator]:
        """Everybody who administers an account itself, page by page (GET /accounts/:id/admins).

        API: https://developerdocs.instructure.com/services/canvas/resources/admins

        :param account: its SIS id.
        :returns: nobody when Canvas has no such account.
        :raises FatalError: ``forbidden`` when the token lacks :data:`SEES_ADMINISTRATORS`.
        """
        path = f"/accounts/sis_account_id:{quote(account, safe='')}/admins"
        try:
            return [administrator_of(item) for item in self._listed(path, {"per_page": 100})]
        except RowError:
            if self.account_exists(account):
                raise
            return []

    def missing_permissions(self, needed: Sequence[str] = PERMISSIONS) -> tuple[str, ...]:
        """Which of some permissions, by default those that every sync needs, the token lacks.

        GET /accounts/self/permissions.
        """
        answer = self._read("/accounts/self/permissions", {"permissions[]": list(needed)}).json()
        return tuple(name for name in needed if not answer.get(name))

    def test_connection(self) -> tuple[bool, str]:
        """Say in one sentence what works and what permission is missing; Airflow's Test button shows it."""
        with CanvasHook(self.canvas_conn_id, timeout=self._timeout, attempts=1) as probe:
            try:
                answer = probe._read("/accounts/self")
                missing = probe.missing_permissions()
            except RowError:
                return False, f"What answers GET /accounts/self is no Canvas. {REMEDIES[Code.BAD_RESPONSE]}"
            except RosterflowError as error:
                return False, f"{error.message} {error.remedy}"
        name = answer.json().get("name", "?")
        parts = [f"Reached Canvas and authenticated; root account {name!r} is visible."]
        if missing:
            parts.append(f"Missing permissions: {', '.join(missing)}.")
        ahead = skew(answer)
        if abs(ahead) > CLOCK_SKEW:
            parts.append(
                f"Canvas's clock is {abs(ahead):.0f} seconds {'ahead of' if ahead > 0 else 'behind'} this one."
            )
        return not missing, " ".join(parts)

    # -- calls ---------------------------------------------------------------------------------------------------

    def _listed(self, path: str, parameters: Mapping[str, Any], wrapped_as: str = "") -> Iterator[Mapping[str, Any]]:
        """Items of a list, following Link headers; the addresses in them are opaque (Canvas contract §9.3)."""
        page: str | None = path
        query: Mapping[str, Any] | None = parameters
        host = urlsplit(self.settings()[0])[:2]
        while page:
            answer = self._read(page, query)
            payload = answer.json()
            yield from payload[wrapped_as] if wrapped_as else payload
            page, query = answer.links.get("next", {}).get("url"), None
            if page and urlsplit(page)[:2] != host:
                raise FatalError(
                    Code.BAD_RESPONSE, f"Canvas's list {path} goes on at another host; it was not followed."
                )

    def _read(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx.Response:
        return self._tried(lambda: self._call("GET", path, params=parameters))

    def _tried(
        self, call: Callable[[], httpx.Response], repeats: Callable[[BaseException], bool] = _may_pass
    ) -> httpx.Response:
        """Make a call, and again while that is safe and may help."""
        tries = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=_wait,
            sleep=self._sleep,
            retry=retry_if_exception(repeats),
            reraise=True,
        )
        return tries(call)

    def _write(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A call that changes something: repeated only when Canvas did not let it in, for then it did nothing."""
        return self._tried(lambda: self._call(method, path, **arguments), _was_throttled)

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return parsed(self._send(self.get_conn(), method, path, **arguments), f"{method} {path}")

    def _send(self, client: httpx.Client, method: str, url: str, **arguments: Any) -> httpx.Response:
        """The answer when it is good.

        :raises RosterflowError: the class and code say what it is otherwise; no body and no token is in it.
        """
        if self._remaining < QUOTA_LOW:
            self._sleep(QUOTA_PAUSE)
        where = f"{method} {urlsplit(url).path}"
        try:
            answer = client.request(method, url, **arguments)
        except httpx.TimeoutException:
            raise RetryableError(Code.UNREACHABLE, f"Canvas did not answer {where} in time.") from None
        except httpx.HTTPError as error:
            at = urlsplit(self.settings()[0]).netloc
            why = error.__class__.__name__
            raise RetryableError(
                Code.UNREACHABLE, f"Canvas at {at} could not be reached for {where} ({why})."
            ) from None
        self._remaining = float(answer.headers.get("X-Rate-Limit-Remaining", "inf"))
        if answer.status_code >= 300:
            raise refusal(answer, where)
        return answer


def _was_throttled(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and error.code is Code.THROTTLED and _may_pass(error)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RetryableError) else None
    return asked if asked is not None else wait_exponential_jitter(initial=1, max=30)(state)


def _course_path(sis_id: str) -> str:
    return f"/courses/sis_course_id:{quote(sis_id, safe='')}"

"""Canvas LMS: SIS imports, provisioning reports and the few REST calls that CSV cannot replace.

API: https://developerdocs.instructure.com/services/canvas . One token, ``Authorization: Bearer``; ids are asked for as
strings because they may exceed 2^53 (Canvas contract §9.1). Reads are repeated after a time-out or a throttle, writes
are not: the caller looks first whether the write arrived.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx
from airflow.sdk import BaseHook
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from rosterflow import __version__
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError, RowError

RUNNING = frozenset({"initializing", "created", "importing", "cleanup_batch", "restoring"})
"""States of a SIS import that is not over (Canvas contract §2.6)."""

REPORT_RUNNING = frozenset({"created", "running", "compiling"})
"""States of an account report that is not over (Canvas contract §10.10)."""

TIMEOUT = httpx.Timeout(connect=5, read=60, write=120, pool=5)
READ_TRIES = 5
QUOTA_LOW = 150.0
QUOTA_PAUSE = 2.0
"""Below this much of the rate limit's bucket we pause before the next call; it refills 10 units a second (§9.4)."""

CLOCK_SKEW = 60.0
THROTTLED = "Rate Limit Exceeded"


@dataclass(frozen=True, slots=True)
class SisImport:
    """A SIS import as Canvas tells it.

    :param counts: rows that succeeded, per type (``data.counts``); refused and skipped rows are not in it.
    :param files: names of the CSV files in it, as far as Canvas lists them.
    """

    id: str
    state: str
    created_at: datetime
    counts: Mapping[str, int]
    files: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether Canvas will not touch it any more."""
        return self.state not in RUNNING

    @property
    def is_trustworthy(self) -> bool:
        """Whether every row without a message was carried out; not so after a failure or an abort (§2.6)."""
        return self.state in ("imported", "imported_with_messages")


@dataclass(frozen=True, slots=True)
class ImportMessage:
    """What Canvas says about one row of an import; ``row`` counts the header as 1 and may be unknown."""

    file: str
    row: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """An account report; ``url`` is where its file is once it is complete."""

    id: str
    state: str
    url: str | None

    @property
    def is_over(self) -> bool:
        """Whether Canvas is done with it, well or not."""
        return self.state not in REPORT_RUNNING


class CanvasHook(BaseHook):
    """Talks to one Canvas root account.

    :param canvas_conn_id: an Airflow connection of type ``canvas``: host is the base URL, password the access token.
    """

    conn_name_attr: ClassVar[str] = "canvas_conn_id"
    default_conn_name: ClassVar[str] = "canvas_default"
    conn_type: ClassVar[str] = "canvas"
    hook_name: ClassVar[str] = "Canvas LMS"

    def __init__(self, canvas_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.canvas_conn_id = canvas_conn_id
        self._client: httpx.Client | None = None
        self._remaining = float("inf")

    def settings(self) -> tuple[str, dict[str, str]]:
        """The API's base URL and the headers of every call, token included.

        :raises FatalError: ``settings-invalid`` when the connection has no usable host or no token.
        """
        connection = self.get_connection(self.canvas_conn_id)
        host = (connection.host or "").rstrip("/")
        if "://" not in host and host:
            host = f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")
        if urlsplit(host).scheme not in ("http", "https") or not urlsplit(host).hostname:
            raise FatalError(
                Code.SETTINGS_INVALID,
                f"Connection {self.canvas_conn_id}: host must be Canvas's base URL, like https://canvas.example.edu.",
            )
        if not connection.password:
            raise FatalError(Code.SETTINGS_INVALID, f"Connection {self.canvas_conn_id}: the access token is missing.")
        base = host if host.endswith("/api/v1") else f"{host}/api/v1"
        return base, {
            "Authorization": f"Bearer {connection.password}",
            "Accept": "application/json+canvas-string-ids",
            "User-Agent": f"rosterflow/{__version__}",
        }

    def get_conn(self) -> httpx.Client:
        """The one HTTP client of this hook, made at the first call."""
        if self._client is None:
            base, headers = self.settings()
            self._client = httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT)
        return self._client

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
        """
        answer = self._call(
            "POST",
            "/accounts/self/sis_imports",
            params={"import_type": "instructure_csv", "extension": "zip"},
            content=archive,
            headers={"Content-Type": "application/zip"},
        )
        return _sis_import(answer.json())

    def sis_import(self, import_id: str) -> SisImport:
        """The state of one import (GET /accounts/self/sis_imports/:id)."""
        return _sis_import(self._read(f"/accounts/self/sis_imports/{import_id}").json())

    def sis_imports_since(self, moment: datetime) -> Iterator[SisImport]:
        """Every import created since a moment, newest first (GET /accounts/self/sis_imports)."""
        parameters = {"created_since": moment.astimezone(UTC).isoformat(), "per_page": 100}
        for item in self._listed("/accounts/self/sis_imports", parameters, wrapped_as="sis_imports"):
            yield _sis_import(item)

    def sis_import_messages(self, import_id: str) -> Iterator[ImportMessage]:
        """Every message about a row, page by page (GET /accounts/self/sis_imports/:id/errors)."""
        path = f"/accounts/self/sis_imports/{import_id}/errors"
        for item in self._listed(path, {"per_page": 100}, wrapped_as="sis_import_errors"):
            yield ImportMessage(item["file"] or "", item["row"], item["message"])

    # -- provisioning report (Canvas contract §10.10) ------------------------------------------------------------

    def start_provisioning_report(self, kinds: tuple[str, ...]) -> Report:
        """Order a report of all ``accounts``, ``terms``, ``courses`` or ``sections`` as asked for, deleted ones included.

        It is ordered for the root account, because for a sub-account it lists only its direct children.
        """
        form = {f"parameters[{kind}]": "true" for kind in kinds}
        form |= {"parameters[include_deleted]": "true", "parameters[skip_message]": "true"}
        return _report(self._call("POST", "/accounts/self/reports/provisioning_csv", data=form).json())

    def provisioning_report(self, report_id: str) -> Report:
        """The state of an ordered report (GET /accounts/self/reports/provisioning_csv/:id)."""
        return _report(self._read(f"/accounts/self/reports/provisioning_csv/{report_id}").json())

    def download(self, url: str) -> bytes:
        """A report's file. Its address may be another host's, which then gets no token of ours."""
        base, _ = self.settings()
        if urlsplit(url)[:2] == urlsplit(base)[:2]:
            return self._read(url).content
        return self._tried(lambda: _checked(httpx.get(url, timeout=TIMEOUT, follow_redirects=True), "a report")).content

    # -- courses that CSV cannot steer (Canvas contract §5.4, §10.3) ----------------------------------------------

    def conclude_course(self, sis_id: str) -> None:
        """Conclude a course that CSV could not, because somebody changed its state by hand (DELETE /courses/:id)."""
        self._call("DELETE", _course_path(sis_id), params={"event": "conclude"})

    def course_event(self, sis_id: str, event: str) -> None:
        """``offer`` publishes or re-opens a course, ``claim`` takes it back to unpublished (PUT /courses/:id).

        :raises RowError: ``row-refused`` with Canvas's words, for instance when it has graded work.
        """
        self._call("PUT", _course_path(sis_id), data={"course[event]": event})

    # -- looking around ------------------------------------------------------------------------------------------

    def account_exists(self, sis_id: str) -> bool:
        """Whether an account with this SIS id is there and may be seen (GET /accounts/sis_account_id:…)."""
        try:
            self._read(f"/accounts/sis_account_id:{quote(sis_id, safe='')}")
        except RowError:
            return False
        return True

    def role_names(self) -> frozenset[str]:
        """Names of the roles of the root account (GET /accounts/self/roles)."""
        return frozenset(str(item["label"]) for item in self._listed("/accounts/self/roles", {"per_page": 100}))

    def missing_permissions(self) -> tuple[str, ...]:
        """Which of the permissions that a sync needs the token lacks (GET /accounts/self/permissions)."""
        needed = ("import_sis", "manage_sis", "read_reports", "read_course_list")
        answer = self._read("/accounts/self/permissions", {"permissions[]": list(needed)}).json()
        return tuple(name for name in needed if not answer.get(name))

    def test_connection(self) -> tuple[bool, str]:
        """Say in one sentence what works and what permission is missing; Airflow's Test button shows it."""
        try:
            answer = self._read("/accounts/self")
            missing = self.missing_permissions()
        except RosterflowError as error:
            return False, str(error)
        name = answer.json().get("name", "?")
        parts = [f"Reached Canvas and authenticated; root account {name!r} is visible."]
        if missing:
            parts.append(f"Missing permissions: {', '.join(missing)}.")
        skew = _skew(answer)
        if abs(skew) > CLOCK_SKEW:
            parts.append(f"Canvas's clock is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} this one.")
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

    def _tried(self, call: Any) -> httpx.Response:
        """Repeat a call that is safe to repeat."""
        tries = Retrying(
            stop=stop_after_attempt(READ_TRIES),
            wait=wait_exponential_jitter(initial=1, max=30),
            retry=retry_if_exception_type(RetryableError),
            reraise=True,
        )
        answer: httpx.Response = tries(call)
        return answer

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        if self._remaining < QUOTA_LOW:
            time.sleep(QUOTA_PAUSE)
        where = f"{method} {urlsplit(path).path}"
        try:
            answer = self.get_conn().request(method, path, **arguments)
        except httpx.TimeoutException:
            raise RetryableError(Code.UNREACHABLE, f"Canvas did not answer {where} in time.") from None
        except httpx.HTTPError as error:
            raise RetryableError(
                Code.UNREACHABLE, f"Canvas could not be reached for {where} ({error.__class__.__name__})."
            ) from None
        self._remaining = float(answer.headers.get("X-Rate-Limit-Remaining", "inf"))
        return _checked(answer, where)


def _checked(answer: httpx.Response, where: str) -> httpx.Response:
    """The answer when it is good; else the error its status and shape stand for (Canvas contract §9.4–9.6)."""
    status = answer.status_code
    if status < 300:
        if "json" not in answer.headers.get("Content-Type", "") and where != "a report" and "/files/" not in where:
            raise RetryableError(Code.BAD_RESPONSE, f"Canvas answered {where} with something that is no JSON.")
        return _parsed(answer, where)
    if status in (403, 429) and THROTTLED in answer.text:
        raise RetryableError(Code.THROTTLED, f"Canvas throttled {where}.", retry_after=_retry_after(answer))
    if status == 401 and "WWW-Authenticate" in answer.headers:
        raise FatalError(Code.UNAUTHORIZED, f"Canvas does not accept the access token ({where}).")
    if status in (401, 403) and "status" in answer.text:
        raise FatalError(Code.FORBIDDEN, f"Canvas's token lacks a permission for {where}.")
    if status >= 500 or status in (408, 425, 429):
        raise RetryableError(
            Code.SERVER_ERROR, f"Canvas answered {where} with {status}.", retry_after=_retry_after(answer)
        )
    raise RowError(Code.ROW_REFUSED, f"Canvas refused {where} with {status}: {_words(answer)}")


def _parsed(answer: httpx.Response, where: str) -> httpx.Response:
    if "json" in answer.headers.get("Content-Type", ""):
        try:
            answer.json()
        except ValueError:
            raise RetryableError(Code.BAD_RESPONSE, f"Canvas's answer to {where} was cut off.") from None
    return answer


def _words(answer: httpx.Response) -> str:
    """Canvas's own words, whatever the shape of its error (Canvas contract §9.6), without markup and short."""
    try:
        payload = answer.json()
    except ValueError:
        return "no explanation"
    if isinstance(payload, dict):
        found = payload.get("message") or payload.get("errors") or payload.get("error_message") or payload.get("error")
    else:
        found = payload
    if isinstance(found, list) and found and isinstance(found[0], dict):
        found = "; ".join(str(item.get("message", "")) for item in found)
    return str(found)[:300]


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _skew(answer: httpx.Response) -> float:
    """Seconds by which Canvas's clock is ahead of ours."""
    stamp = answer.headers.get("Date")
    return (parsedate_to_datetime(stamp) - datetime.now(UTC)).total_seconds() if stamp else 0.0


def _course_path(sis_id: str) -> str:
    return f"/courses/sis_course_id:{quote(sis_id, safe='')}"


def _sis_import(item: Mapping[str, Any]) -> SisImport:
    files = item.get("csv_attachments") or ()
    return SisImport(
        id=str(item["id"]),
        state=item["workflow_state"],
        created_at=datetime.fromisoformat(item["created_at"].replace("Z", "+00:00")),
        counts={name: int(n) for name, n in ((item.get("data") or {}).get("counts") or {}).items()},
        files=tuple(str(file.get("filename") or file.get("display_name")) for file in files),
    )


def _report(item: Mapping[str, Any]) -> Report:
    return Report(str(item["id"]), item["status"], (item.get("attachment") or {}).get("url"))


LOOK_BACK = timedelta(minutes=10)
"""How much earlier than our own POST an import of ours may seem to be created: clocks differ."""

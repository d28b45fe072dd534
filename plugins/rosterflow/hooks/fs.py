"""FS's GraphQL API (Felles studentsystem): ``https://api.fellesstudentsystem.no/graphql/``.

HTTP Basic with an API user, or the key of a gateway in front of FS under a header of its own (FS reference §2.1, §2.2).
Only reads are done, so every request is safe to repeat.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import msgspec
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from gql import Client, GraphQLRequest
from gql.client import SyncClientSession
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from graphql import DocumentNode, parse
from requests.auth import HTTPBasicAuth
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from rosterflow import __version__
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.domain.institution import FsSettings
from rosterflow.hooks import fs_paging
from rosterflow.hooks.fs_errors import graphql_error, withholds_people_alone
from rosterflow.hooks.fs_operations import (
    STRUCTURE,
    Extent,
    Operation,
    Variables,
    document_of,
    operation_named,
    variables_of,
)
from rosterflow.hooks.fs_paging import Page, Position, page_with_texts
from rosterflow.hooks.fs_probing import words_on_people
from rosterflow.hooks.fs_transport import FSRequest, FSTransport, NotGraphQL, answer_error, connection_error

LONGEST_WAIT = 60.0
"""Seconds we wait ourselves; when FS asks for more, the task ends and Airflow waits without holding a slot."""
SKEW_SECONDS = 60
PASSING = frozenset({Code.UNREACHABLE, Code.THROTTLED, Code.SERVER_ERROR})
DEFAULTS = FsSettings(connection="fs_default")

Decode = Callable[[msgspec.Raw], Any]


class FSGraphQLHook(BaseHook):
    """Runs our operations against one FS, over one kept-alive connection.

    The Airflow connection (type ``fs_graphql``): host is the whole address; login and password are the API user's.
    Extras, all optional: ``api_key_header`` (the password is then a gateway's key, sent under that header),
    ``connect_timeout`` and ``read_timeout`` in seconds; and, used where there are no settings, as by the Test button,
    ``feature_flags``, ``dialect`` and ``institution_number``.

    :param fs_conn_id: the Airflow connection.
    :param settings: how the institution reads FS; by default what the connection says.
    :param institution: named in every error.
    :param number: the institution's, whose reads the Test button tries; by default what the connection says.
    :param sleep: how to wait between two attempts.
    :param now: the time, to compare FS's clock with.
    :param attempts: how often a request is sent at most.
    :param rows_as_text: hand the rows of a page on as the JSON that came (``msgspec.Raw``), as far as nothing is to be
        read inside them.
    """

    conn_name_attr: ClassVar[str] = "fs_conn_id"
    default_conn_name: ClassVar[str] = "fs_default"
    conn_type: ClassVar[str] = "fs_graphql"
    hook_name: ClassVar[str] = "FS GraphQL"

    def __init__(
        self,
        fs_conn_id: str = default_conn_name,
        *,
        settings: FsSettings | None = None,
        institution: str = "",
        number: str = "",
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        attempts: int = 4,
        rows_as_text: bool = False,
    ) -> None:
        super().__init__()
        self.fs_conn_id = fs_conn_id
        self.institution = institution
        self._number = number
        self._settings = settings
        self._sleep = sleep
        self._now = now
        self._attempts = attempts
        self._rows_as_text = rows_as_text
        self._client: Client | None = None
        self._session: SyncClientSession | None = None

    def __enter__(self) -> FSGraphQLHook:
        """The hook itself; its connection is opened by the first request."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            self._client.close_sync()  # type: ignore[no-untyped-call]
            self._client = self._session = None

    def get_conn(self) -> SyncClientSession:
        """The gql session, opened once.

        :raises FatalError: ``connection-missing`` when Airflow has no such connection.
        """
        if self._session is None:
            self._client = Client(transport=self._transport(), fetch_schema_from_transport=False)
            self._session = self._client.connect_sync()  # type: ignore[no-untyped-call]
        return self._session

    def pages(self, operation: Operation, variables: Variables, position: Position | None = None) -> Iterator[Page]:
        """Run an operation and page it to the end, nested connections too.

        :param variables: the operation's own, without those of paging.
        :param position: where to go on; by default the beginning, with the settings' page size.
        :raises FatalError: repeating the read would fail again.
        :raises RetryableError: the read may go through later; see :mod:`rosterflow.hooks.fs_paging`.
        """
        document = document_of(operation)
        connection = page_with_texts if self._rows_as_text and not operation.nested else msgspec.json.decode

        def ask(values: Variables, where: str) -> Mapping[str, Any]:
            return self.execute(document, operation.name, values, where, connection)

        start = position or Position((self._settings or DEFAULTS).page_size)
        return fs_paging.pages(ask, operation, variables, start)

    def execute(
        self,
        document: DocumentNode,
        name: str,
        variables: Variables,
        where: str,
        decode: Decode = msgspec.json.decode,
    ) -> Mapping[str, Any]:
        """Run one operation once, and again while its failure may pass.

        :param where: place in the read, for errors.
        :param decode: what makes of a member of ``data``, which is JSON, what is wanted.
        :returns: GraphQL's ``data``, complete.
        :raises FatalError: repeating it would fail again.
        :raises RetryableError: it still failed after the last attempt, or FS asked us to wait for longer than a minute.
        """
        place = f"{self.institution}: {where}" if self.institution else where
        attempts = Retrying(
            retry=retry_if_exception(_may_pass),
            wait=_wait,
            stop=stop_after_attempt(self._attempts),
            sleep=self._sleep,
            reraise=True,
        )
        request = FSRequest(document, variable_values=dict(variables), operation_name=name)
        data = attempts(self._once, request, place)
        return {member: decode(text) for member, text in data.items()}

    def test_connection(self) -> tuple[bool, str]:
        """Say in a sentence what works: reached, logged in, which reads are refused, how far the clocks are apart.

        Every read is tried with a few rows when the connection names the institution. That people may not be read is
        said, with the right that it takes, and is no failure: an institution may sync its study structure alone.
        """
        with FSGraphQLHook(self.fs_conn_id, settings=self._settings, now=self._now, attempts=1) as probe:
            try:
                probe.execute(parse("query ping { __typename }"), "ping", {}, "Test")
                number = self._number or str(probe._extra().get("institution_number") or "")
                refused = list(probe._refused_reads(number)) if number else []
                asks_people = bool(number) and not refused and probe._dialect() == "2026"
                people = [words_on_people(probe.pages, probe._today(number))] if asks_people else []
            except RosterflowError as error:
                return False, f"{error.message} {error.remedy}"
            words = [f"Connected to FS. {_verdict(number, probe._dialect(), refused)}", *people, *probe._skew()]
            return not refused, " ".join(words)

    def _refused_reads(self, number: str) -> Iterator[str]:
        dialect, extent = self._dialect(), self._today(number)
        for name in STRUCTURE[dialect]:
            operation = operation_named(name, dialect)
            try:
                page = next(self.pages(operation, variables_of(operation, extent), Position(page_size=1)))
            except RosterflowError as error:
                yield f"{name} ({error.message})"
            else:
                if name == "organisasjonsenheter" and not page.nodes:
                    yield f"{name} (no unit of institution {number} is visible)"

    def _today(self, number: str) -> Extent:
        """What a probe reads: this term."""
        today = self._now()
        return Extent(number, today.year, "HOST" if today.month > 7 else "VAR", (today.year,), nested=1)

    def _dialect(self) -> str:
        if self._settings:
            return self._settings.dialect
        named = str(self._extra().get("dialect") or DEFAULTS.dialect)
        if named not in STRUCTURE:
            raise self._invalid("dialect", f"must be one of {', '.join(STRUCTURE)}")
        return named

    def _seconds(self, name: str, otherwise: float) -> float:
        try:
            return float(self._extra().get(name) or otherwise)
        except ValueError:
            raise self._invalid(name, "must be a number of seconds") from None

    def _invalid(self, field: str, words: str) -> FatalError:
        return FatalError(Code.CONNECTION_INVALID, f"Connection {self.fs_conn_id}: {field} {words}.")

    def _skew(self) -> Iterator[str]:
        transport = self._client.transport if self._client else None
        headers = transport.response_headers if isinstance(transport, FSTransport) else None
        if headers and (date := headers.get("Date")):
            seconds = round((self._now() - parsedate_to_datetime(date)).total_seconds())
            if abs(seconds) > SKEW_SECONDS:
                yield f"This machine's clock is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} FS's."

    def _once(self, request: GraphQLRequest, place: str) -> Mapping[str, msgspec.Raw]:
        # "from None": a chained exception would carry the body or the address into the log.
        try:
            return self.get_conn().execute(request)
        except NotGraphQL as answer:
            raise answer_error(answer, place) from None
        except TransportConnectionFailed as error:
            raise connection_error(error.__cause__, place) from None
        except TransportQueryError as error:
            texts: Mapping[str, msgspec.Raw] = error.data or {}
            data = {member: msgspec.json.decode(text) for member, text in texts.items()}
            if withholds_people_alone(error.errors or [], data):
                return texts
            raise graphql_error(error.errors or [], data, request.document, place) from None

    def _connection(self) -> Connection:
        try:
            return self.get_connection(self.fs_conn_id)
        except AirflowNotFoundException:
            raise FatalError(Code.CONNECTION_MISSING, f"Airflow has no connection {self.fs_conn_id!r}.") from None

    def _extra(self) -> Mapping[str, Any]:
        return self._connection().extra_dejson

    def _transport(self) -> FSTransport:
        connection, extra = self._connection(), self._extra()
        headers = {
            "Accept": "application/json",
            "User-Agent": f"rosterflow/{__version__}",
            "Feature-Flags": ",".join(self._settings.feature_flags if self._settings else _flags(extra)),
        }
        auth = None
        if key_header := extra.get("api_key_header"):
            headers[key_header] = connection.password or ""
        else:
            auth = HTTPBasicAuth((connection.login or "").encode(), (connection.password or "").encode())
        return FSTransport(
            url=_address(connection.host, connection.port),
            headers={name: value for name, value in headers.items() if value},
            auth=auth,
            timeouts=(self._seconds("connect_timeout", 5), self._seconds("read_timeout", 60)),
        )


def _address(host: str | None, port: int | None) -> str:
    """The API's address; a bare host name means FS's own path below it."""
    if host and "://" in host:
        return host
    return f"https://{host or ''}{f':{port}' if port else ''}/graphql/"


def _flags(extra: Mapping[str, Any]) -> tuple[str, ...]:
    named = extra.get("feature_flags")
    return DEFAULTS.feature_flags if named is None else tuple(re.split(r"[\s,]+", str(named).strip()))


def _verdict(number: str, dialect: str, refused: Sequence[str]) -> str:
    if not number:
        return "Give the institution's number in the connection to test what may be read."
    if len(refused) == len(STRUCTURE[dialect]):
        return (
            f"None of dialect {dialect}'s reads is possible: is it FS's dialect, and may the user read? {refused[0]}."
        )
    return f"Not possible: {'; '.join(refused)}." if refused else "Every read of the study structure works."


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and error.code in PASSING and (error.retry_after or 0) <= LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RetryableError) else None
    return asked if asked is not None else wait_exponential_jitter(initial=1, max=30)(state)

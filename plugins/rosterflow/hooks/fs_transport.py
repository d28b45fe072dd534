"""What FS's answers mean, below GraphQL: HTTP statuses, connections that break, bodies that are no JSON.

Nothing of an answer's body, no header and no variable ever gets into an error: they may hold secrets or personal data.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

import msgspec
import requests
from gql import GraphQLRequest
from gql.transport.requests import RequestsHTTPTransport
from graphql import ExecutionResult, print_ast
from requests.auth import AuthBase

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.retry_after import retry_after

# gql writes whole requests and answers to its log at DEBUG, and Airflow may well run at DEBUG.
logging.getLogger("gql.transport.requests").setLevel(logging.INFO)


class NotGraphQL(Exception):
    """An HTTP answer that is not GraphQL's; :func:`answer_error` tells it in our words.

    :param status: HTTP status.
    :param retry_after: seconds the server asks to wait, ``None`` when it does not say.
    """

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.retry_after = retry_after


class FSTransport(RequestsHTTPTransport):
    """gql's transport over one ``requests`` session, strict about what counts as an answer.

    gql looks at the body first and lets a 401 with a JSON body pass as a GraphQL result; here the status comes first.
    JSON is decoded from the bytes, because ``requests`` would guess the encoding of every page from its content. The
    members of ``data`` stay JSON (``msgspec.Raw``): who asked knows how much of them to take apart.
    Redirects are not followed: they lead to log-in pages, and would drop the body.

    :param timeouts: seconds to wait for a connection, and for the next part of an answer.
    """

    def __init__(self, url: str, headers: dict[str, str], auth: AuthBase | None, timeouts: tuple[float, float]) -> None:
        super().__init__(url, headers=headers, auth=auth, allow_redirects=False)
        self._timeouts = timeouts

    def execute(
        self,
        request: GraphQLRequest,
        timeout: int | None = None,
        extra_args: dict[str, Any] | None = None,
        upload_files: bool = False,
    ) -> ExecutionResult:
        """Send one request; gql itself knows only one time-out for both waits."""
        return super().execute(request, timeout, {"timeout": self._timeouts, **(extra_args or {})}, upload_files)

    def _prepare_result(self, response: requests.Response) -> ExecutionResult:
        self.response_headers = response.headers
        body = _answer(response) if response.status_code in (200, 400) else _Answer()
        if not body.errors and (body.data is None or response.status_code == 400):
            raise NotGraphQL(response.status_code, retry_after(response.headers))
        return ExecutionResult(data=body.data, errors=body.errors)


class FSRequest(GraphQLRequest):
    """A request whose document is printed once for all the pages that it is sent for."""

    @property
    def payload(self) -> dict[str, Any]:
        """What is sent, as GraphQL over HTTP has it."""
        query = _printed(self.document)
        return {"query": query, "operationName": self.operation_name, "variables": self.variable_values}


_printed = lru_cache(maxsize=64)(print_ast)


class _Answer(msgspec.Struct):
    """A GraphQL answer."""

    data: dict[str, msgspec.Raw] | None = None
    errors: Any = None


_decoded = msgspec.json.Decoder(_Answer).decode


def _answer(response: requests.Response) -> _Answer:
    """The answer in a body, an empty one when it is not GraphQL's."""
    try:
        response.content.decode()  # what stays JSON is looked at for everything but this
        return _decoded(response.content)
    except ValueError:
        return _Answer()


def answer_error(answer: NotGraphQL, where: str) -> RosterflowError:
    """An HTTP answer that is no GraphQL result, in our words.

    :returns: FatalError ``unauthorized``, ``forbidden``, or ``bad-response`` for an address that is not the API;
        RetryableError ``throttled``, ``server-error``, or ``bad-response`` for a body that is not GraphQL's JSON.
    """
    status, wait = answer.status, answer.retry_after
    match status:
        case 200:
            return RetryableError(Code.BAD_RESPONSE, f"{where}: FS answered with something that is not GraphQL's JSON.")
        case 401:
            return FatalError(Code.UNAUTHORIZED, f"{where}: FS does not accept the user name and password (or key).")
        case 403:
            return FatalError(Code.FORBIDDEN, f"{where}: FS refuses the API user this read.")
        case 429:
            return RetryableError(Code.THROTTLED, f"{where}: FS asks us to slow down.", retry_after=wait)
        case _ if status >= 500:
            return RetryableError(Code.SERVER_ERROR, f"{where}: FS answered HTTP {status}.", retry_after=wait)
        case _:
            return FatalError(Code.BAD_RESPONSE, f"{where}: FS answered HTTP {status}; is the address the API's own?")


def connection_error(cause: BaseException | None, where: str) -> RosterflowError:
    """A connection that failed or broke, in our words.

    :param cause: what ``requests`` raised.
    :returns: FatalError ``unreachable`` when the address is none, or its certificate cannot be verified; RetryableError
        ``unreachable`` for all that may pass.
    """
    match cause:
        case requests.exceptions.SSLError():
            return FatalError(Code.UNREACHABLE, f"{where}: FS's certificate could not be verified.")
        case requests.exceptions.Timeout():
            return RetryableError(Code.UNREACHABLE, f"{where}: FS did not answer in time.")
        case ValueError():
            return FatalError(Code.UNREACHABLE, f"{where}: the connection's address or key is not usable in HTTP.")
        case requests.exceptions.RequestException():
            return RetryableError(Code.UNREACHABLE, f"{where}: FS could not be reached, or the connection broke.")
        case _:
            return RetryableError(Code.UNEXPECTED, f"{where}: the request failed ({type(cause).__name__}).")

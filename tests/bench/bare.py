"""What nobody can do without: downloading the pages of one read of FS and decoding their JSON.

The very requests of a read are sent again by gql's own transport over one kept-alive connection, and what comes back is
thrown away. This module loads little else than gql, so that a process of its own is as small as such a client is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.requests import RequestsHTTPTransport
from requests.auth import HTTPBasicAuth

from tests.bench.cost import measured


@dataclass(frozen=True, slots=True)
class Request:
    """One request to FS: an operation's whole document, its name and its variables."""

    document: str
    name: str
    variables: Mapping[str, Any]


Requests = tuple[Request, ...]


def download(requests: Requests, environment: Mapping[str, str], answer: Connection) -> None:
    """Send what the requests cost a client that only downloads and decodes; the entry point of its process."""
    prepared = _prepared(requests)
    with measured("bare download") as meter:
        for _ in _answers(prepared, environment):
            pass
    answer.send(meter.cost)


def _prepared(requests: Requests) -> list[GraphQLRequest]:
    documents = {one.name: gql(one.document).document for one in requests}
    return [
        GraphQLRequest(documents[one.name], variable_values=dict(one.variables), operation_name=one.name)
        for one in requests
    ]


def _answers(requests: list[GraphQLRequest], environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    fs = json.loads(environment["AIRFLOW_CONN_FS_DEMO"])
    transport = RequestsHTTPTransport(
        fs["host"],
        auth=HTTPBasicAuth(fs["login"], fs["password"]),
        headers={"Feature-Flags": "beta,experimental"},
    )
    with Client(transport=transport) as session:
        for request in requests:
            yield session.execute(request)

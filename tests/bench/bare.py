"""What nobody can do without: downloading the pages of one read of FS and decoding their JSON.

The very requests of a read are recorded and sent again by gql's own transport over one kept-alive connection, and what
comes back is thrown away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.requests import RequestsHTTPTransport
from graphql import DocumentNode
from requests.auth import HTTPBasicAuth

from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import STRUCTURE, document_of
from rosterflow.hooks.fs_paging import Position
from rosterflow.settings import institutions_folder, load_institution
from rosterflow.sync.reading import operation_of, variables_for
from tests.bench.cost import measured
from tests.bench.tasks import TODAY

Requests = tuple[tuple[str, Mapping[str, Any]], ...]
"""Operation and variables of each request, in order."""

INSTITUTION = load_institution(institutions_folder() / "demo.yaml")


class _Recorder(FSGraphQLHook):
    """Reads as the hook does, and keeps what it asked for."""

    def execute(self, document: DocumentNode, name: str, variables: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        asked.append((name, dict(variables)))
        return super().execute(document, name, variables, where)


asked: list[tuple[str, Mapping[str, Any]]] = []


def record(environment: Mapping[str, str], answer: Connection) -> None:
    """Send the requests that a read of the structure makes; the entry point of its process."""
    os.environ.update(environment)
    fs = INSTITUTION.fs
    scope = scope_on(TODAY.date(), INSTITUTION.terms)
    with _Recorder(fs.connection, settings=fs) as hook:
        for name in STRUCTURE[fs.dialect]:
            operation = operation_of(INSTITUTION, name)
            for _ in hook.pages(operation, variables_for(INSTITUTION, scope, operation), Position(fs.page_size)):
                pass
    answer.send(tuple(asked))


def download(requests: Requests, environment: Mapping[str, str], answer: Connection) -> None:
    """Send what the same requests cost a client that only downloads and decodes; the entry point of its process."""
    documents = _documents()
    with measured("bare download") as meter, Client(transport=_transport(environment)) as session:
        for name, variables in requests:
            session.execute(GraphQLRequest(documents[name], variable_values=dict(variables), operation_name=name))
    answer.send(meter.cost)


def size(requests: Requests, environment: Mapping[str, str], answer: Connection) -> None:
    """Send how many bytes of JSON the same requests bring; the entry point of its process."""
    documents = _documents()
    with Client(transport=_transport(environment)) as session:
        answers = (
            session.execute(GraphQLRequest(documents[name], variable_values=dict(variables), operation_name=name))
            for name, variables in requests
        )
        answer.send(sum(len(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()) for one in answers))


def _transport(environment: Mapping[str, str]) -> RequestsHTTPTransport:
    fs = json.loads(environment["AIRFLOW_CONN_FS_DEMO"])
    flags = ",".join(INSTITUTION.fs.feature_flags)
    return RequestsHTTPTransport(
        fs["host"], auth=HTTPBasicAuth(fs["login"], fs["password"]), headers={"Feature-Flags": flags}
    )


def _documents() -> dict[str, DocumentNode]:
    return {name: document_of(operation_of(INSTITUTION, name)) for name in STRUCTURE[INSTITUTION.fs.dialect]}

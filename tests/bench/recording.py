"""The requests that a read of FS makes, to be sent again by the bare client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import msgspec
from graphql import DocumentNode, print_ast

from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs import Decode, FSGraphQLHook
from rosterflow.hooks.fs_operations import STRUCTURE
from rosterflow.settings import institutions_folder, load_institution
from rosterflow.sync.reading import Checkpoint, KeptPage, operation_of, read_operation, variables_for
from rosterflow.sync.reading_people import STRUCTURE_NEEDED, page_size_of, people_parts, structure_of
from rosterflow.xcom import page_store
from tests.bench.bare import Request
from tests.bench.tasks import TODAY


class _Recorder(FSGraphQLHook):
    """Reads as the hook does, and keeps what it asked for, and how many bytes of JSON came."""

    asked: list[Request]
    bytes = 0

    def execute(
        self,
        document: DocumentNode,
        name: str,
        variables: Mapping[str, Any],
        where: str,
        decode: Decode = msgspec.json.decode,
    ) -> Mapping[str, Any]:
        self.asked.append(Request(print_ast(document), name, dict(variables)))
        data = super().execute(document, name, variables, where, decode)
        self.bytes += len(msgspec.json.encode(data))
        return data


def record(environment: Mapping[str, str], answer: Connection) -> None:
    """Send the requests that a read of everything makes, and the bytes of JSON that it brings; the entry point of its
    process.
    """
    os.environ.update(environment)
    institution = load_institution(institutions_folder() / "demo.yaml")
    fs, scope, store = institution.fs, scope_on(TODAY.date(), institution.terms), page_store()
    hook = _Recorder(fs.connection, settings=fs)
    hook.asked = []

    def kept(name: str, variables: Mapping[str, Any], about: str = "") -> list[KeptPage]:
        operation = operation_of(institution, name)
        checkpoint = Checkpoint(store, {"recorded": name, "about": about})
        size = page_size_of(institution, operation)
        return list(read_operation(hook, operation, variables, checkpoint, page_size=size))

    with hook:
        read = {
            name: kept(name, variables_for(institution, scope, operation_of(institution, name)))
            for name in STRUCTURE[fs.dialect]
        }
        pages = {name: [store.get(page.name) for page in read[name]] for name in STRUCTURE_NEEDED[fs.dialect]}
        for part in people_parts(institution, scope, structure_of(scope, pages)):
            kept(part.operation, part.variables, part.title)
        answer.send((tuple(hook.asked), hook.bytes))

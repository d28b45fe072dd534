"""The requests that a read of FS makes, to be sent again by the bare client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from graphql import DocumentNode, print_ast

from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import STRUCTURE
from rosterflow.hooks.fs_paging import Position
from rosterflow.settings import institutions_folder, load_institution
from rosterflow.sync.reading import operation_of, variables_for
from tests.bench.bare import Request
from tests.bench.tasks import TODAY


class _Recorder(FSGraphQLHook):
    """Reads as the hook does, and keeps what it asked for."""

    asked: list[Request]

    def execute(self, document: DocumentNode, name: str, variables: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        self.asked.append(Request(print_ast(document), name, dict(variables)))
        return super().execute(document, name, variables, where)


def record(environment: Mapping[str, str], answer: Connection) -> None:
    """Send the requests that a read of the whole structure makes; the entry point of its process."""
    os.environ.update(environment)
    institution = load_institution(institutions_folder() / "demo.yaml")
    fs, scope = institution.fs, scope_on(TODAY.date(), institution.terms)
    hook = _Recorder(fs.connection, settings=fs)
    hook.asked = []
    with hook:
        for name in STRUCTURE[fs.dialect]:
            operation = operation_of(institution, name)
            for _ in hook.pages(operation, variables_for(institution, scope, operation), Position(fs.page_size)):
                pass
        answer.send(tuple(hook.asked))

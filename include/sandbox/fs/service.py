"""Answers GraphQL requests over the university of a world.

Documents are parsed and validated once for each schema; rows are sorted once for each revision of the university.
Source: FS reference, sections 3.5 and 13.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)

from sandbox.fs import wire_faults
from sandbox.fs.errors import IllegalArgumentError
from sandbox.fs.execution import DirectExecutor
from sandbox.fs.index import Index
from sandbox.fs.paging import NODE_IDS, PAGE_FAULTS, SORT_COLUMNS, Request
from sandbox.fs.schemas import flags_of, schema_2023, schema_2026

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from sandbox.fs.paging import Cursors
    from sandbox.world import World

LOG = logging.getLogger(__name__)
KEPT_DOCUMENTS = 256

Answer = dict[str, Any]


class BadRequestError(ValueError):
    """A body that is not a GraphQL request; its text is for the client."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A request as the client put it."""

    query: str
    variables: dict[str, Any]
    operation: str | None

    @classmethod
    def of(cls, body: object) -> _Question:
        if not isinstance(body, Mapping) or not isinstance(body.get("query"), str):
            raise BadRequestError("The body must be a JSON object with the member query.")
        variables, operation = body.get("variables"), body.get("operationName")
        if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
            raise BadRequestError("variables must be an object and operationName a text.")
        return cls(body["query"], variables or {}, operation or None)


class Service:
    """FS over one world. Safe to use from several threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._index: Index | None = None
        self._documents: OrderedDict[tuple[int, str], DocumentNode | list[Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, body: object, dialect: str, feature_flags: str) -> Answer:
        """Return the answer to a decoded request body in a dialect, 2026 or 2023.

        :param feature_flags: the Feature-Flags header, empty when there was none; 2023 has no flags
        :raises BadRequestError: when the body is not a GraphQL request
        """
        question = _Question.of(body)
        if dialect == "2023":
            return self._run(question, schema_2023(), NODE_IDS)
        return self._run(question, schema_2026(flags_of(feature_flags)), SORT_COLUMNS)

    def _run(self, question: _Question, schema: GraphQLSchema, cursors: Cursors) -> Answer:
        document = self._document(question.query, schema)
        if isinstance(document, list):
            return {"errors": document}
        faults = self._world.faults
        operation = question.operation or _only_name(document)
        fields = wire_faults.root_fields(document, operation)
        failed = wire_faults.errors_only(fields, operation, faults)
        if failed is not None:
            return failed
        result = execute_sync(
            schema,
            document,
            context_value=Request(self._rows(), cursors, operation, faults, self._nested_faults()),
            variable_values=question.variables,
            operation_name=question.operation,
            executor_class=DirectExecutor,
        )
        answer: Answer = {"errors": [_told(error) for error in result.errors]} if result.errors else {}
        answer["data"] = result.data
        wire_faults.spoil(answer, fields, operation, faults)
        return answer

    def _document(self, text: str, schema: GraphQLSchema) -> DocumentNode | list[Answer]:
        """The parsed document, or the errors that make it invalid."""
        key = (id(schema), text)
        with self._lock:
            found = self._documents.get(key)
            if found is not None:
                self._documents.move_to_end(key)
                return found
        made = _checked(text, schema)
        with self._lock:
            self._documents[key] = made
            if len(self._documents) > KEPT_DOCUMENTS:
                self._documents.popitem(last=False)
        return made

    def _rows(self) -> Index:
        university = self._world.university
        with self._lock:
            if self._index is None or not self._index.is_current(university):
                self._index = Index(university)
            return self._index

    def _nested_faults(self) -> frozenset[str]:
        """The kinds that some fault wants of a nested connection, which it names as `Type.field`."""
        return frozenset(
            fault["kind"]
            for fault in self._world.faults.listing()
            if fault["target"] == "fs" and fault["kind"] in PAGE_FAULTS and "." in fault["match"]
        )


def _checked(text: str, schema: GraphQLSchema) -> DocumentNode | list[Answer]:
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        return [_classified(error, "InvalidSyntax")]
    errors = validate(schema, document)
    return [_classified(error, "ValidationError") for error in errors] or document


def _only_name(document: DocumentNode) -> str:
    names = [
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode) and definition.name
    ]
    return names[0] if len(names) == 1 else ""


def _told(error: GraphQLError) -> Answer:
    """An execution error as FS words it: what was wrong with the client's value, or only a log id."""
    cause = error.original_error
    if isinstance(cause, IllegalArgumentError):
        return _classified(error, "DataFetchingException")
    if cause is None or isinstance(cause, GraphQLError):
        return _classified(error, "ValidationError")
    LOG.error("A resolver failed at %s", error.path, exc_info=cause)
    return {**wire_faults.logged_error(list(error.path or [])), "locations": _classified(error, "")["locations"]}


def _classified(error: GraphQLError, classification: str) -> Answer:
    formatted: Answer = dict(error.formatted)
    return {**formatted, "extensions": {"classification": classification}}

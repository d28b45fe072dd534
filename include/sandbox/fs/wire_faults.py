"""Faults in an answer as it goes out, beyond what a schema would let a resolver do. They concern root connections.

The kinds are the sandbox's contract; the shapes of FS's errors are in the FS reference, section 3.5.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, OperationDefinitionNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import DocumentNode

    from sandbox.faults import Faults

Answer = dict[str, Any]

PEOPLE = ("deltaker", "fagperson", "personProfil", "student", "studentVedLarested")
REQUIRED = {
    ("programStudieretter", "personProfil"),
    ("klassemedlemskap", "studentVedLarested"),
    ("evuKursroller", "fagperson"),
}
"""The members of rows that are people, and those that may not be null, so that the row is when they are."""


def logged_error(path: list[str | int]) -> Answer:
    """Return the error FS gives for whatever it will not tell: a log id and the place."""
    return {
        "message": f"An exception occurred. The error has been logged with id {uuid.uuid4()}.",
        "locations": [],
        "path": path,
        "extensions": {"classification": "DataFetchingException"},
    }


def root_fields(document: DocumentNode, operation: str) -> dict[str, str]:
    """Return the root fields that an operation selects: response key to field name.

    An empty operation name stands for the only operation. Fields within fragments on Query are not seen.
    """
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        if not operation or (definition.name and definition.name.value == operation):
            fields = (node for node in definition.selection_set.selections if isinstance(node, FieldNode))
            return {(node.alias or node.name).value: node.name.value for node in fields}
    return {}


def errors_only(fields: dict[str, str], operation: str, faults: Faults) -> Answer | None:
    """Return an answer of errors without data when one of the fields is to fail whole, else None."""
    for key, field in fields.items():
        if faults.take("fs", "errors_only", f"{operation} {field}"):
            return {"errors": [logged_error([key])], "data": None}
    return None


def spoil(answer: Answer, fields: dict[str, str], operation: str, faults: Faults) -> None:
    """Change an answer in place as the faults say: people withheld, a row failed in part, a null row, null instead of
    rows.
    """
    for key, connection in _connections(answer):
        text = f"{operation} {fields.get(key, key)}"
        nodes = connection["nodes"]
        if nodes and faults.take("fs", "no_person_access", text):
            _withhold_people(answer, key, fields.get(key, key))
        if nodes and faults.take("fs", "partial_error", text):
            place = len(nodes) // 2
            member = _member_to_fail(nodes[place])
            nodes[place][member] = None
            answer.setdefault("errors", []).append(logged_error([key, "nodes", place, member]))
        if nodes and faults.take("fs", "null_node", text):
            nodes[len(nodes) // 2] = None
        if faults.take("fs", "null_list", text):
            connection["nodes"] = None


def _withhold_people(answer: Answer, key: str, field: str) -> None:
    """Answer null and an error for every person a row leads to, as for an API user without access to persons."""
    nodes = answer["data"][key]["nodes"]
    for place, row in enumerate(nodes):
        for member in PEOPLE if row else ():
            if row.get(member) is None:
                continue
            answer.setdefault("errors", []).append(logged_error([key, "nodes", place, member]))
            row[member] = None
            if (field, member) in REQUIRED:
                nodes[place] = None


def _connections(answer: Answer) -> Iterator[tuple[str, Answer]]:
    for key, value in (answer.get("data") or {}).items():
        if isinstance(value, dict) and isinstance(value.get("nodes"), list):
            yield key, value


def _member_to_fail(row: Answer) -> str:
    """The last object or list of a row, else its last member: what a join would have fetched."""
    joined = [name for name, value in row.items() if isinstance(value, dict | list)]
    return (joined or list(row))[-1]

"""What FS's GraphQL errors mean. They are told apart by shape, and only places of our own query are quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import DocumentNode, print_ast

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError

REFUSALS = frozenset({"ValidationError", "InvalidSyntax"})
"""graphql-java's classifications of a query that was never run (FS reference §3.5)."""

PEOPLE = frozenset({"personProfil", "student", "studentVedLarested", "fagperson", "deltaker"})
"""Members that are people: FS checks access to them apart from the row they hang in (FS reference §2.4)."""
_INSIDE_A_ROW = 3
"""Steps of a path that lead to a row: the root connection, its ``nodes``, the row's place."""


def withholds_people_alone(errors: Sequence[Mapping[str, Any]], data: object) -> bool:
    """Whether an answer is whole but for people whom FS would not show, each of them null and with an error of its own.

    Such rows are used: they say that somebody is there, and whoever reads them knows that it is not known who.
    """
    if not errors or not isinstance(data, Mapping):
        return False
    paths = [error.get("path") for error in errors]
    return all(isinstance(path, list) and PEOPLE & set(path) and _is_null_on_the_way(data, path) for path in paths)


def _is_null_on_the_way(data: object, path: Sequence[str | int]) -> bool:
    """Whether a path ends in null, or at something above it that became null with it, below the rows' list."""
    value: Any = data
    for step, part in enumerate(path):
        if value is None:
            return step >= _INSIDE_A_ROW
        if isinstance(value, Mapping) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False
    return value is None


def graphql_error(
    errors: Sequence[Mapping[str, Any]], data: object, document: DocumentNode, where: str
) -> RosterflowError:
    """GraphQL errors, in our words.

    :param data: GraphQL's ``data``, ``None`` when there was none.
    :param document: what was asked.
    :returns: FatalError ``query-refused`` when the server does not know a member or argument, which it says before it
        runs anything; RetryableError ``partial-response`` for errors beside data, of which no part can be trusted to be
        all there is, and ``server-error`` for errors alone.
    """
    has_data = isinstance(data, Mapping) and any(value is not None for value in data.values())
    if not has_data and all(_is_refusal(error) for error in errors):
        return FatalError(Code.QUERY_REFUSED, f"{where}: FS does not accept the query{_places(errors, document)}.")
    if has_data:
        message = f"{where}: {len(errors)} error(s) beside the data, the first at {_path(errors)}."
        return RetryableError(Code.PARTIAL_RESPONSE, message)
    return RetryableError(Code.SERVER_ERROR, f"{where}: FS answered with errors alone, the first at {_path(errors)}.")


def _is_refusal(error: Mapping[str, Any]) -> bool:
    """Errors of execution have a path; those of validation have only places in the query."""
    extensions = error.get("extensions")
    classification = extensions.get("classification") if isinstance(extensions, Mapping) else None
    if isinstance(classification, str):
        return classification in REFUSALS
    return not error.get("path") and bool(error.get("locations"))


def _places(errors: Sequence[Mapping[str, Any]], document: DocumentNode) -> str:
    """The words of our query that the errors point at: ``" at sisteTermin, partinummer"``."""
    lines = print_ast(document).splitlines()
    words = []
    for error in errors:
        for place in error.get("locations") or []:
            line, column = place.get("line", 0), place.get("column", 0)
            if 0 < line <= len(lines) and (word := re.match(r"\$?\w+", lines[line - 1][max(column - 1, 0) :])):
                words.append(word.group())
    return f" at {', '.join(list(dict.fromkeys(words))[:5])}" if words else ""


def _path(errors: Sequence[Mapping[str, Any]]) -> str:
    path = errors[0].get("path") if errors else None
    return ".".join(str(part) for part in path) if isinstance(path, list) else "an unnamed place"

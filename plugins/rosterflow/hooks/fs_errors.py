"""What FS's GraphQL errors mean. They are told apart by shape, and only places of our own query are quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import DocumentNode, print_ast

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError

REFUSALS = frozenset({"ValidationError", "InvalidSyntax"})
"""graphql-java's classifications of a query that was never run (FS reference §3.5)."""


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

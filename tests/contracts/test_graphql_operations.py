"""Every operation fits our schema of its dialect, and our schema of 2026 fits FS's shapes.

The table of shapes lies beside the checkout (``../shared/reference/fs-2026-shapes.md``), or where ROSTERFLOW_SHAPES
says. Without it the operations are still held to our own schema.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from gql import GraphQLRequest
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    print_ast,
    validate,
    visit,
)
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode, ast

from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.fs_operations import (
    OPERATIONS,
    PEOPLE,
    Extent,
    Nested,
    Operation,
    document_of,
    probe_of,
    variables_of,
)
from rosterflow.sync.reading_people import Structure, people_parts
from tests.household import college

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "include/graphql/fs"
SHAPES = Path(os.environ.get("ROSTERFLOW_SHAPES") or REPOSITORY.parent / "shared/reference/fs-2026-shapes.md")
ALL = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: f"{one.dialect}-{one.name}")


@cache
def schema(dialect: str) -> GraphQLSchema:
    return build_schema((FOLDER / dialect / "schema.graphql").read_text(encoding="utf-8"))


@ALL
def test_an_operation_is_valid_in_its_dialect(operation: Operation) -> None:
    assert validate(schema(operation.dialect), document_of(operation)) == []


@ALL
def test_an_operation_takes_the_variables_it_is_given(operation: Operation) -> None:
    [definition] = [one for one in document_of(operation).definitions if isinstance(one, OperationDefinitionNode)]
    taken = list(definition.variable_definitions or ())
    given = [{**one, "first": 100, "after": "c", "withTotal": True} for one in all_variables_of(operation)]
    assert given

    for variables in given:
        values = get_variable_values(schema(operation.dialect), taken, variables)
        assert not isinstance(values, list), values
        assert set(variables) <= {one.variable.name.value for one in taken}


def all_variables_of(operation: Operation) -> list[dict[str, Any]]:
    """What an operation is run with: once for a whole read, as often as there are parts for one of people."""
    if operation.name not in PEOPLE[operation.dialect]:
        extent = Extent("184", 2026, "HOST", (2026, 2027), nested=100, emnekoder=("INF-1100",))
        return [variables_of(operation, extent)]
    institution = college(
        fs={"connection": "fs_test", "dialect": operation.dialect}, people={"requires_semester_registration": True}
    )
    structure = Structure({"2026_HØST": "t26", "2027_VÅR": "t27"}, {"e1": 1, "e2": 2000}, ("p1",), ("k1",))
    scope = Scope(frozenset(structure.terms))
    parts = people_parts(institution, scope, structure) + people_parts(
        institution, replace(scope, emnekoder=frozenset({"INF-1100"})), structure
    )
    ids = {"terminer": ["t26"], "studieprogram": ["p1"], "evu_kurs": ["k1"]}
    probe = probe_of(operation, Extent("184", 2026, "HOST", (2026,), nested=1), ids)
    probes = [probe] * (operation.dialect == "2026")
    return [part.variables for part in parts if part.operation == operation.name] + probes


@ALL
def test_an_operation_survives_being_sent(operation: Operation) -> None:
    request = GraphQLRequest(document_of(operation), operation_name=operation.name)

    assert request.payload["query"] == print_ast(document_of(operation)).strip()


def test_every_file_is_an_operation_and_every_operation_a_file() -> None:
    files = {(path.parent.name, path.stem) for path in FOLDER.glob("*/*.graphql") if path.stem != "schema"}

    assert files == set(OPERATIONS)


class _Connections(Visitor):
    """Collects every connection of an operation with the arguments it is given."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: dict[str, set[str]] = {}

    def enter_field(self, node: FieldNode, *_: object) -> None:
        field = self.types.get_field_def()
        if field is not None and {"first", "after"} <= set(field.args):
            self.found[node.name.value] = {argument.name.value for argument in node.arguments or ()}


def connections_in(operation: Operation) -> dict[str, set[str]]:
    types = TypeInfo(schema(operation.dialect))
    visitor = _Connections(types)
    visit(document_of(operation), TypeInfoVisitor(types, visitor))
    return visitor.found


@ALL
def test_every_connection_is_asked_with_first_and_after(operation: Operation) -> None:
    assert [name for name, given in connections_in(operation).items() if not {"first", "after"} <= given] == []


@ALL
def test_every_connection_that_an_operation_has_is_one_that_is_paged_to_its_end(operation: Operation) -> None:
    def names(nested: tuple[Nested, ...]) -> set[str]:
        return {name for one in nested for name in (one.field, *names(one.nested))}

    assert set(connections_in(operation)) == {operation.root} | names(operation.nested)


# FS's own table of shapes

TYPE_LINE = re.compile(r"- \*\*(?P<name>\w+)\*\*: (?P<rest>.*)")
ROOT_LINE = re.compile(r"- `Query\.(?P<field>.*)`")


def shapes() -> GraphQLSchema:
    """The part of FS's table that our schema names, as a schema: types that we do not have are left out."""
    ours = schema("2026").type_map
    roots = [found["field"] for found in map(ROOT_LINE.fullmatch, lines()) if found]
    types = [found for found in map(TYPE_LINE.fullmatch, lines()) if found and found["name"] in ours]
    wanted = schema("2026").query_type
    assert wanted is not None
    query = "type Query {\n" + "\n".join(root for root in roots if root.split("(")[0] in wanted.fields) + "\n}"
    parts = ["scalar Date", query]
    for found in types:
        name, rest = found["name"], found["rest"]
        if rest.startswith("enum "):
            parts.append(f"enum {name} {{ {rest.removeprefix('enum ').replace('|', ' ')} }}")
        else:
            kind = "input" if isinstance(ours[name], GraphQLInputObjectType) else "type"
            parts.append(f"{kind} {name} {{\n{rest.replace('; ', chr(10))}\n}}")
    return build_schema(without_unknown_types("\n".join(parts)), assume_valid=True)


@cache
def lines() -> tuple[str, ...]:
    return tuple(SHAPES.read_text(encoding="utf-8").splitlines())


def without_unknown_types(sdl: str) -> str:
    """Declare every type that is only mentioned, so that the rest can be read."""
    declared = set(re.findall(r"^(?:type|input|enum|scalar) (\w+)", sdl, re.MULTILINE))
    mentioned = set(re.findall(r": \[?(\w+)", sdl)) - {"String", "Int", "Boolean", "ID"}
    return sdl + "".join(f"\nscalar {name}" for name in sorted(mentioned - declared))


def members(schema: GraphQLSchema) -> set[str]:
    """Every member as a line: fields and arguments with type and default, enum values."""
    found = set[str]()
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(kind, GraphQLEnumType):
            found |= {f"{name}.{value}" for value in kind.values}
        if isinstance(kind, GraphQLInputObjectType):
            found |= {f"{name}.{member}: {typed(field)}" for member, field in kind.fields.items()}
        if isinstance(kind, GraphQLObjectType):
            for member, output in kind.fields.items():
                found.add(f"{name}.{member}: {output.type}")
                found |= {f"{name}.{member}({each}: {typed(argument)})" for each, argument in output.args.items()}
    return found


def typed(member: GraphQLInputField | GraphQLArgument) -> str:
    node = member.ast_node
    default = node.default_value if isinstance(node, ast.InputValueDefinitionNode) else None
    return f"{member.type}" + (f" = {print_ast(default)}" if default else "")


@pytest.mark.skipif(not SHAPES.exists(), reason="FS's table of shapes is not at hand")
def test_every_member_of_our_schema_of_2026_is_one_of_fs() -> None:
    assert sorted(members(schema("2026")) - members(shapes())) == []


@pytest.mark.skipif(not SHAPES.exists(), reason="FS's table of shapes is not at hand")
def test_a_member_that_fs_lacks_or_types_otherwise_would_be_found() -> None:
    text = (FOLDER / "2026/schema.graphql").read_text(encoding="utf-8")
    wrong = text.replace("partinummer: String", "partinummer: Int\n  gruppenummer: String").replace(
        "first: Int = 10\n", "first: Int = 5\n"
    )

    assert sorted(members(build_schema(wrong)) - members(shapes())) == [
        "Emne.undervisningsenheter(first: Int = 5)",
        "Organisasjonsenhet.personroller(first: Int = 5)",
        "Undervisningsaktivitet.gruppenummer: String",
        "Undervisningsaktivitet.partinummer: Int",
    ]

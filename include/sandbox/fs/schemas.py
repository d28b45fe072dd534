"""The executable schemas: one of 2023, and of 2026 one for each set of feature flags.

A member marked @beta or @experimental is not in the schema unless its flag was given, nor is a type that has no other
members, so that asking for it is a validation error as in FS, not a null. Source: FS reference, section 2.3.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import (
    REMOVE,
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    Visitor,
    build_ast_schema,
    parse,
    visit,
)

from sandbox.fs import dialect_2023, dialect_2026
from sandbox.fs.execution import direct_members

if TYPE_CHECKING:
    from sandbox.fs.values import Resolver, Resolvers

TIERS = frozenset({"beta", "experimental"})


def flags_of(header: str) -> frozenset[str]:
    """Return the tiers a Feature-Flags header names; blanks and unknown flags do not matter."""
    return frozenset(flag.strip() for flag in header.split(",")) & TIERS


@cache
def schema_2026(flags: frozenset[str]) -> GraphQLSchema:
    """Return the schema of 2026 as the bearer of these feature flags sees it."""
    document: DocumentNode = visit(parse(_sdl("schema_2026.graphql")), _Tiers(flags))
    while bare := _types_without_members(document):
        document = visit(document, _Types(bare))
    return _executable(build_ast_schema(document), dialect_2026.resolvers())


@cache
def schema_2023() -> GraphQLSchema:
    """Return the schema of 2023."""
    return _executable(build_ast_schema(parse(_sdl("schema_2023.graphql"))), dialect_2023.resolvers())


def _sdl(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


class _Tiers(Visitor):
    """Removes the members of tiers that were not asked for, and the marks themselves."""

    def __init__(self, flags: frozenset[str]) -> None:
        super().__init__()
        self._hidden = TIERS - flags

    def _member(self, node: FieldDefinitionNode | InputValueDefinitionNode, *_args: Any) -> Any:
        return REMOVE if any(mark.name.value in self._hidden for mark in node.directives or ()) else None

    enter_field_definition = _member
    enter_input_value_definition = _member

    def enter_directive(self, node: ConstDirectiveNode, *_args: Any) -> Any:
        return REMOVE if node.name.value in TIERS else None

    def enter_directive_definition(self, _node: DirectiveDefinitionNode, *_args: Any) -> Any:
        return REMOVE


def _types_without_members(document: DocumentNode) -> set[str]:
    return {
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode) and not definition.fields
    }


class _Types(Visitor):
    """Removes types, and the members and arguments that are of them."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names

    def _type(self, node: ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode, *_args: Any) -> Any:
        return REMOVE if node.name.value in self._names else None

    def _member(self, node: FieldDefinitionNode | InputValueDefinitionNode, *_args: Any) -> Any:
        kind = node.type
        while isinstance(kind, ListTypeNode | NonNullTypeNode):
            kind = kind.type
        assert isinstance(kind, NamedTypeNode)
        return REMOVE if kind.name.value in self._names else None

    enter_object_type_definition = _type
    enter_input_object_type_definition = _type
    enter_field_definition = _member
    enter_input_value_definition = _member


def _executable(schema: GraphQLSchema, resolvers: Resolvers) -> GraphQLSchema:
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        members = _members(name, resolvers)
        for field_name, field in kind.fields.items():
            field.resolve = members[field_name]
    schema.extensions["direct"] = direct_members(schema)
    return schema


def _members(type_name: str, resolvers: Resolvers) -> dict[str, Resolver]:
    if type_name.endswith("Connection"):
        return resolvers["*Connection"]
    if type_name.endswith("Edge"):
        return resolvers["*Edge"]
    return resolvers[type_name]

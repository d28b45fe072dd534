"""A shorter way through graphql-core for plain members, which are nearly all of a page.

graphql-core builds the whole resolve info for each of them. Here a member without arguments is read at once: a scalar
goes into the answer as it is, an object's own members are executed below it; whatever is not exactly as expected goes
the whole way. It rests on `Executor.execute_fields`, `collect_subfields` and `handle_field_error`, which graphql-core
does not promise to keep: its version is pinned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    Executor,
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLScalarType,
    Undefined,
    get_nullable_type,
    is_non_null_type,
)
from graphql.pyutils import Path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLOutputType, GraphQLSchema

PYTHON_TYPES: dict[str, type] = {"Int": int, "Boolean": bool}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar member: how it is read, and what it must be to go out as it is."""

    read: Callable[..., Any]
    expected: type
    nullable: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """An object member: how it is read, its type in the schema, and the object type itself."""

    read: Callable[..., Any]
    field_type: GraphQLOutputType
    kind: GraphQLObjectType
    nullable: bool


@dataclass(frozen=True, slots=True)
class _Info:
    """The part of the resolve info that resolvers of direct members use."""

    context: Any


def direct_members(schema: GraphQLSchema) -> dict[tuple[str, str], Leaf | Branch]:
    """Return the members without arguments, lists apart, of a schema whose members have resolvers, by type and name."""
    found: dict[tuple[str, str], Leaf | Branch] = {}
    for kind in schema.type_map.values():
        for name, field in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            if field.resolve is None or field.args:
                continue
            nullable = not is_non_null_type(field.type)
            named = get_nullable_type(field.type)
            if isinstance(named, GraphQLScalarType | GraphQLEnumType):
                found[kind.name, name] = Leaf(field.resolve, PYTHON_TYPES.get(named.name, str), nullable)
            elif isinstance(named, GraphQLObjectType):
                found[kind.name, name] = Branch(field.resolve, field.type, named, nullable)
    return found


class DirectExecutor(Executor[Any]):
    """Executes an operation over a schema whose `extensions` hold its direct members."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Mapping[str, Any],
        position_context: Any,
    ) -> dict[str, Any]:
        """Return the members selected of one object."""
        members: dict[tuple[str, str], Leaf | Branch] = self.schema.extensions["direct"]
        info = _Info(self.context_value)
        type_name = parent_type.name
        results: dict[str, Any] = {}
        for response_name, details in grouped_field_set.items():
            member = members.get((type_name, details[0].node.name.value))
            if member is not None:
                value = member.read(source_value, info)
                if value is None and member.nullable:
                    results[response_name] = None
                    continue
                if isinstance(member, Branch):
                    if value is not None:
                        place = Path(path, response_name, type_name)
                        results[response_name] = self._object(member, value, details, place)
                        continue
                elif type(value) is member.expected:
                    results[response_name] = value
                    continue
            place = Path(path, response_name, type_name)
            result = self.execute_field(parent_type, source_value, details, place, position_context)
            if result is not Undefined:
                results[response_name] = result
        return results

    def _object(self, branch: Branch, value: Any, details: Any, place: Path) -> dict[str, Any] | None:
        """Return the members selected of an object, None where one that must not be null is."""
        try:
            return self.execute_fields(branch.kind, value, place, self.collect_subfields(branch.kind, details)[0], None)
        except Exception as error:
            self.handle_field_error(error, branch.field_type, details, place)
            return None

"""Every member of both schemas is answered, and every resolver answers a member."""

from __future__ import annotations

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type, is_non_null_type

from sandbox.fs import dialect_2023, dialect_2026
from sandbox.fs.schemas import TIERS, schema_2023, schema_2026
from tests.sandbox.fs_client import FsClient

OWNER = {"2026": "eierOrganisasjonskode", "2023": "eierInstitusjonsnummer"}
FILTERS = {
    "klassemedlemskap": "",
    "studieprogramroller": 'eierOrganisasjonskode: "184", studieprogramSkalEksporteresTilLms: true',
}
"""The filters of the roots that are not asked by the owner alone."""

SCHEMAS = {"2026": schema_2026(TIERS), "2023": schema_2023()}


def query_type(schema: GraphQLSchema) -> GraphQLObjectType:
    assert schema.query_type is not None
    return schema.query_type


ROOTS = [(dialect, name) for dialect, schema in SCHEMAS.items() for name in query_type(schema).fields]


def selection(kind: GraphQLObjectType, depth: int) -> str:
    """All members of a type, down to a depth of objects."""
    members = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if not isinstance(below, GraphQLObjectType):
            members.append(name)
        elif depth > 0:
            members.append(f"{name} {selection(below, depth - (0 if name in ('nodes', 'edges', 'node') else 1))}")
    return "{" + " ".join(members) + "}"


def query_of(schema: GraphQLSchema, dialect: str, root: str, depth: int) -> str:
    kind = get_named_type(query_type(schema).fields[root].type)
    assert isinstance(kind, GraphQLObjectType)
    given = FILTERS.get(root, f'{OWNER[dialect]}: "184"')
    return f"{{ {root}(first: 5, filter: {{{given}}}) {selection(kind, depth)} }}"


@pytest.mark.parametrize(("dialect", "root"), ROOTS)
def test_every_member_three_objects_down_is_answered(dialect: str, root: str) -> None:
    client = FsClient("small", dialect)
    rows = client.data(query_of(SCHEMAS[dialect], dialect, root, 3))[root]["nodes"]

    assert rows
    assert all(row is not None for row in rows)


@pytest.mark.parametrize(("dialect", "resolvers"), [("2026", dialect_2026), ("2023", dialect_2023)])
def test_there_is_no_resolver_of_nothing(dialect: str, resolvers: object) -> None:
    known = SCHEMAS[dialect].type_map
    for type_name, members in resolvers.resolvers().items():  # type: ignore[attr-defined]
        if type_name.startswith("*"):
            continue
        kind = known[type_name]
        assert isinstance(kind, GraphQLObjectType)
        assert set(members) == set(kind.fields), type_name


@pytest.mark.parametrize("dialect", ["2026", "2023"])
def test_every_root_connection_but_one_needs_the_owner(dialect: str) -> None:
    without = set()
    for name, field in query_type(SCHEMAS[dialect]).fields.items():
        kind = get_named_type(field.args["filter"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        owner = kind.fields.get(OWNER[dialect])
        if owner is None or not is_non_null_type(owner.type):
            without.add(name)

    assert without == ({"klassemedlemskap"} if dialect == "2026" else set())

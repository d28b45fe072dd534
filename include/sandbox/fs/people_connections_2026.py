"""The connections of people of the 2026 dialect: which rows, in which order, passing which filter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.fs import filters_2026, paging, users_2026
from sandbox.fs import people_filters_2026 as filters
from sandbox.fs.connections_2026 import OWNER, Orders, in_order, nested, of_owner
from sandbox.fs.people_keys import EMNE_STUDIERETT, PROGRAM_STUDIERETT
from sandbox.fs.values import Resolver

if TYPE_CHECKING:
    from sandbox.fs.keys import ChildKey
    from sandbox.fs.ordering import Ordered
    from sandbox.fs.paging import Info, Page
    from sandbox.fs.people_filters_2026 import Kind
    from sandbox.university.people import Person, Personrolle, ProgramStudierett

RIGHT_ORDERS: Orders = {
    "FRA_DATO": PROGRAM_STUDIERETT.led_by((str,), lambda row: (row.periode.fra.isoformat() if row.periode.fra else "",))
}


def people_root(kind: Kind, orders: Orders | None = None) -> Resolver:
    """Page a root connection; another institution's number finds no row. A few roots do not ask for a number."""

    def resolve(
        _source: None,
        info: Info,
        filter: dict[str, Any] | None = None,  # the argument's name in FS
        first: int | None = None,
        after: str | None = None,
        orderBy: dict[str, str] | None = None,
    ) -> Page[Any]:
        index = info.context.index
        given = {name: value for name, value in (filter or {}).items() if value is not None}
        owner = given.pop(OWNER, None)
        about = {name: given.pop(name) for name in list(given) if name in kind.about}
        rows: Ordered[Any] = index.people.chosen(kind.rows, about, filters_2026.tests(kind.about, about, index))
        if owner is not None:
            rows = of_owner(rows, owner, info)
        rows = in_order(rows, orderBy, orders or {}, (kind.rows, json.dumps(about)), info)
        return paging.page(rows, filters_2026.tests(kind.own, given, index), info, first, after)

    return resolve


def users(
    _source: None,
    info: Info,
    filter: dict[str, Any],  # the argument's name in FS
    first: int | None = None,
    after: str | None = None,
) -> Page[Person]:
    """Page those who must exist as users: everybody alive, narrowed by groups and by leave to be handed over."""
    index = info.context.index
    rows = of_owner(index.people.personer, filter[OWNER], info)
    groups = filter.get("brukergrupper")
    wanted = None if groups is None else index.people.users(groups, users_2026.in_any)
    transferable, dead = filter.get("kanOverforesTilLms"), filter.get("inkluderAvdode")

    def asked_for(person: Person) -> bool:
        return (
            (dead or not person.er_dod)
            and (transferable is None or person.kan_overfores is transferable)
            and (wanted is None or person in wanted)
        )

    return paging.page(rows, asked_for, info, first, after)


def roles_below(place: Any, info: Info, filter: dict[str, Any] | None = None) -> list[Personrolle]:
    """List the roles held at a place; only active ones unless a filter says otherwise."""
    test = filters_2026.tests(filters.PERSONROLLER, filter, info.context.index)
    roles: list[Personrolle] = place.personroller
    return [role for role in roles if test is None or test(role)]


def roles_page(key: ChildKey[Personrolle]) -> Resolver:
    """Page the roles held at a place."""
    return nested("roles", lambda place, _: place.personroller, key, filters.PERSONROLLER)


rights_of_student = nested(
    "rights",
    lambda student, index: index.people.rights_of.get(student, ()),
    EMNE_STUDIERETT,
    filters.RIGHTS_OF_STUDENT,
)
programmes_of_student = nested(
    "programmes",
    lambda student, index: index.people.programmes_of.get(student, ()),
    PROGRAM_STUDIERETT,
    filters.PROGRAMMES_OF_STUDENT,
    RIGHT_ORDERS,
)


def programmes_of_person(person: Person, info: Info, **arguments: Any) -> Any:
    """Page the rights to programmes of a person who is a student."""
    return programmes_of_student(person.student, info, **arguments) if person.student else None


def rights_to_programme(
    program: Any,
    info: Info,
    filter: dict[str, Any] | None = None,
    orderBy: dict[str, str] | None = None,
) -> list[ProgramStudierett]:
    """List the rights to a programme."""
    index = info.context.index
    rows = index.nested("rights", program, lambda: program.studieretter, PROGRAM_STUDIERETT)
    test = filters_2026.tests(filters.PROGRAM_STUDIERETTER.own, filter, index)
    ordered = in_order(rows, orderBy, RIGHT_ORDERS, program, info)
    return [row for row in ordered.rows if test is None or test(row)]

"""The connections of the 2026 dialect: which rows, in which order, passing which filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.fs import filters_2026 as filters
from sandbox.fs import keys, paging
from sandbox.fs.errors import IllegalArgumentError
from sandbox.fs.ordering import Sorted
from sandbox.fs.values import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from sandbox.fs.index import Index
    from sandbox.fs.keys import Key
    from sandbox.fs.ordering import Ordered
    from sandbox.fs.paging import Info, Page
    from sandbox.university.model import Emne

Orders = dict[str, "Key[Any]"]
OWNER = "eierOrganisasjonskode"


def _study_place(emne: Emne) -> tuple[int, int, int]:
    unit = emne.studieansvarlig
    return (unit.fakultetsnummer, unit.instituttnummer, unit.gruppenummer) if unit else (0, 0, 0)


EMNE_ORDERS: Orders = {
    "EMNEKODE": keys.EMNE.led_by((str,), lambda emne: (emne.kode,)),
    "STEDKODE": keys.EMNE.led_by((int, int, int), _study_place),
}
PROGRAMME_ORDERS: Orders = {
    "STUDIEPROGRAM_KODE": keys.STUDIEPROGRAM.led_by((str,), lambda program: (program.kode,)),
    "STUDIEPROGRAM_NAVN_NB": keys.STUDIEPROGRAM.led_by((str,), lambda program: (program.navn.nb or "",)),
    "STUDIEPROGRAM_ER_AKTIV": keys.STUDIEPROGRAM.led_by((int,), lambda program: (int(program.er_aktiv),)),
}
KULL_ORDERS: Orders = {"ARSTALL": keys.KULL.led_by((int,), lambda kull: (kull.semester.arstall,))}


def in_order(
    rows: Ordered[Any], order: Mapping[str, str] | None, orders: Orders, parent: object, info: Info
) -> Ordered[Any]:
    """Return rows in the order asked for; `parent` tells lists of one order apart.

    Raises IllegalArgumentError for an order there is no data for.
    """
    if order is None:
        return rows
    field = order["orderByField"]
    if field not in orders:
        raise IllegalArgumentError(f"The sandbox has no data to order by {field}")
    descending = order["direction"] == "DESC"
    return info.context.index.ordered((field, parent), rows, orders[field], descending=descending)


def of_owner(rows: Ordered[Any], number: str, info: Info) -> Ordered[Any]:
    """Return the rows when the number is this institution's; another institution's finds none."""
    index = info.context.index
    return rows if index.is_owner(number) else Sorted((), rows.key, index.institution)


def root(index_name: str, known: filters.Filters, orders: Orders | None = None) -> Resolver:
    """Page a root connection; another institution's number finds no row."""

    def resolve(
        _source: None,
        info: Info,
        filter: dict[str, Any],  # the argument's name in FS
        first: int | None = None,
        after: str | None = None,
        orderBy: dict[str, str] | None = None,
    ) -> Page[Any]:
        index = info.context.index
        rows = of_owner(in_order(getattr(index, index_name), orderBy, orders or {}, None, info), filter[OWNER], info)
        return paging.page(rows, filters.tests(known, filter, index), info, first, after)

    return resolve


def nested(
    name: str,
    rows_of: Callable[[Any, Index], Iterable[Any]],
    key: Key[Any],
    known: filters.Filters | None = None,
    orders: Orders | None = None,
    unless_given: Mapping[str, Any] | None = None,
) -> Resolver:
    """Page the rows below a parent; `name` tells its lists apart.

    What nobody filters by is filtered as `unless_given` says.
    """

    def resolve(
        parent: Hashable,
        info: Info,
        filter: dict[str, Any] | None = None,  # the argument's name in FS
        first: int | None = None,
        after: str | None = None,
        orderBy: dict[str, str] | None = None,
    ) -> Page[Any]:
        index = info.context.index
        rows: Sorted[Any] = index.nested(name, parent, lambda: rows_of(parent, index), key)
        given = {name: value for name, value in (filter or {}).items() if value is not None}
        test = filters.tests(known or {}, {**(unless_given or {}), **given}, index)
        return paging.page(in_order(rows, orderBy, orders or {}, parent, info), test, info, first, after)

    return resolve


teaching = nested(
    "ue", lambda emne, _: emne.undervisningsenheter, keys.UNDERVISNINGSENHET, filters.UNDERVISNINGSENHETER
)
activities = nested("ua", lambda ue, _: ue.aktiviteter, keys.UNDERVISNINGSAKTIVITET, filters.UNDERVISNINGSAKTIVITETER)
followed_by = nested("followers", lambda ue, index: index.followers(ue), keys.EMNE)
kull = nested("kull", lambda program, _: program.kull, keys.KULL, filters.KULL, KULL_ORDERS)
kull_v2 = nested(
    "kull", lambda program, _: program.kull, keys.KULL, filters.KULL, KULL_ORDERS, unless_given={"erAktiv": [True]}
)
"""`kullV2` leaves inactive ones out even where nothing was said about them."""
klasser = nested("klasser", lambda kull, _: kull.klasser, keys.KLASSE, filters.KLASSER)

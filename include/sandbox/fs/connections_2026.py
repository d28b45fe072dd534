"""The connections of the 2026 dialect: which rows, in which order, passing which filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.fs import filters_2026 as filters
from sandbox.fs import keys, paging
from sandbox.fs.errors import IllegalArgumentError
from sandbox.fs.ordering import Sorted
from sandbox.fs.values import Resolver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.fs.keys import Key
    from sandbox.fs.ordering import Ordered
    from sandbox.fs.paging import Info, Page
    from sandbox.university.model import Emne, Kull, Studieprogram, Undervisningsenhet

Orders = dict[str, "Key[Any]"]


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
        rows: Ordered[Any] = in_order(getattr(index, index_name), orderBy, orders or {}, None, info)
        if not index.is_owner(filter["eierOrganisasjonskode"]):
            rows = Sorted((), rows.key, index.institution)
        return paging.page(rows, filters.tests(known, filter, index), info, first, after)

    return resolve


def teaching(
    emne: Emne,
    info: Info,
    filter: dict[str, Any] | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[Undervisningsenhet]:
    """Page the undervisningsenheter of an emne."""
    index = info.context.index
    rows = index.nested("ue", emne, lambda: emne.undervisningsenheter, keys.UNDERVISNINGSENHET)
    return paging.page(rows, filters.tests(filters.UNDERVISNINGSENHETER, filter, index), info, first, after)


def activities(
    ue: Undervisningsenhet,
    info: Info,
    filter: dict[str, Any] | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[Any]:
    """Page the activities of an undervisningsenhet."""
    index = info.context.index
    rows = index.nested("ua", ue, lambda: ue.aktiviteter, keys.UNDERVISNINGSAKTIVITET)
    return paging.page(rows, filters.tests(filters.UNDERVISNINGSAKTIVITETER, filter, index), info, first, after)


def followed_by(ue: Undervisningsenhet, info: Info, first: int | None = None, after: str | None = None) -> Page[Emne]:
    """Page the emner whose teaching follows this one's."""
    index = info.context.index
    rows = index.nested("followers", ue, lambda: index.followers(ue), keys.EMNE)
    return paging.page(rows, None, info, first, after)


def kull(*, only_active: bool) -> Resolver:
    """Page a programme's kull; `kullV2` leaves inactive ones out even where nothing was said about them."""

    def resolve(
        program: Studieprogram,
        info: Info,
        filter: dict[str, Any] | None = None,
        first: int | None = None,
        after: str | None = None,
        orderBy: dict[str, str] | None = None,
    ) -> Page[Kull]:
        index = info.context.index
        rows: Sorted[Kull] = index.nested("kull", program, lambda: program.kull, keys.KULL)
        given = dict(filter or {})
        if only_active and given.get("erAktiv") is None:
            given["erAktiv"] = [True]
        test = filters.tests(filters.KULL, given, index)
        return paging.page(in_order(rows, orderBy, KULL_ORDERS, program, info), test, info, first, after)

    return resolve


def klasser(
    kull: Kull,
    info: Info,
    filter: dict[str, Any] | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Page[Any]:
    """Page the klasser of a kull."""
    index = info.context.index
    rows = index.nested("klasser", kull, lambda: kull.klasser, keys.KLASSE)
    return paging.page(rows, filters.tests(filters.KLASSER, filter, index), info, first, after)

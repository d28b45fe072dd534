"""Organisasjonsenheter: accounts in a tree below the institution's, and where in it a unit's things go.

Source: issue 2 §2.4 (Accounts); FS reference §4.1, §7.17.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rosterflow.domain.fs.rows import Stedkode, Unit
from rosterflow.domain.mapping.draft import Draft, Facts, ruled
from rosterflow.domain.model import Account, Key, Kind, Origin, SourceKind, parents_of
from rosterflow.domain.naming import choose


class Place(NamedTuple):
    """An account by its SIS id, and the rule by which it is not the one FS names, if it is not."""

    account: str
    note: str | None
    facts: Facts


class Units:
    """The units of one read, and which of them stand as accounts."""

    def __init__(self, draft: Draft, rows: Iterable[Unit]) -> None:
        self._draft = draft
        self._by_sted = {self._owned(unit.sted): unit for unit in sorted(rows, key=_exported_last)}
        self._own = Stedkode(draft.ids.institution)

    def is_own(self, sted: Stedkode) -> bool:
        """Whether a unit is the institution's own, whose account the institution's settings name."""
        return self._owned(sted) == self._own or self._draft.ids.unit(sted) == self._draft.home

    def place(self, key: Key, sted: Stedkode | None) -> Place:
        """Where a thing of a responsible unit goes: its account, else its nearest exported ancestor's.

        :param key: the thing; an incomplete read leaves it where it lies unless its unit itself was seen.
        """
        if sted is None:
            return self._settled(key, Place(self._draft.home, "responsible-unit-missing", ()))
        sted = self._owned(sted)
        account = self._account(self.nearest(sted))
        exact = self.is_own(sted) or self._stands(sted)
        place = Place(account, None if exact else "responsible-unit-not-exported", (("enhet", " ".join(sted)),))
        was_seen = exact and (self.is_own(sted) or sted in self._by_sted)
        return place if was_seen else self._settled(key, place)

    def _settled(self, key: Key, place: Place) -> Place:
        """A place that rests on units that were not seen; on an incomplete read it moves nothing."""
        known = self._draft.confirmed.get(key)
        if self._draft.is_whole or known is None:
            return place
        return place._replace(account=parents_of(known)[0].sis_id)

    def nearest(self, sted: Stedkode | None) -> Stedkode | None:
        """The unit itself if it stands as an account, else the nearest above that does; ``None`` for the top."""
        seen = set()
        while sted is not None and sted not in seen and not self.is_own(sted):
            if self._stands(sted):
                return sted
            seen.add(sted)
            sted = self.above(sted)
        return None

    def above(self, sted: Stedkode) -> Stedkode | None:
        """The unit above by FS's ``parent``, else by the numbers; ``None`` above the top."""
        sted = self._owned(sted)
        unit = self._by_sted.get(sted)
        parent = self._owned(unit.parent) if unit and unit.parent else None
        return parent if parent and parent != sted else sted.above()

    def below_itself(self) -> set[Stedkode]:
        """Units that lie on a circle of nearest exported ancestors."""
        circles: set[Stedkode] = set()
        done: set[Stedkode] = set()
        for start in self._by_sted:
            path: dict[Stedkode, int] = {}
            sted: Stedkode | None = start
            while sted is not None and sted not in path and sted not in done:
                path[sted] = len(path)
                sted = self.nearest(self.above(sted))
            if sted in path:
                circles.update(list(path)[path[sted] :])
            done.update(path)
        return circles

    def _owned(self, sted: Stedkode) -> Stedkode:
        return sted if sted.organisasjon else sted._replace(organisasjon=self._draft.ids.institution)

    def _account(self, sted: Stedkode | None) -> str:
        return self._draft.home if sted is None else self._draft.ids.unit(sted)

    def _stands(self, sted: Stedkode) -> bool:
        """Whether a unit is an account; one that was not seen though it may exist stands if Canvas has it."""
        unit = self._by_sted.get(sted)
        if unit is not None:
            return unit.skal_eksporteres_til_lms and unit.er_aktiv
        draft = self._draft
        key = Key(Kind.ACCOUNT, draft.ids.unit(sted))
        was_read = draft.is_whole and SourceKind.ORGANISASJONSENHET in draft.scope.sources
        return key in draft.confirmed and (not was_read or key in draft.protected)


def _exported_last(unit: Unit) -> tuple[bool, str]:
    return unit.skal_eksporteres_til_lms and unit.er_aktiv, repr(unit)


def map_units(draft: Draft, units: Units, rows: Iterable[Unit]) -> None:
    """Ask for an account for every exported unit but the institution's own."""
    circles = units.below_itself()
    for unit in rows:
        key = Key(Kind.ACCOUNT, draft.ids.unit(unit.sted))
        if units.is_own(unit.sted):
            draft.note(unit.source, unit.subject, "unit-own", (), Key(Kind.ACCOUNT, draft.home))
        elif not unit.er_aktiv:
            draft.refuse(unit.source, unit.subject, "unit-inactive", (("erAktiv", "false"),), key)
        elif not unit.skal_eksporteres_til_lms:
            draft.refuse(unit.source, unit.subject, "unit-not-exported", (("skalEksporteresTilLms", "false"),), key)
        else:
            _want(draft, units, unit, key, circles)


def _want(draft: Draft, units: Units, unit: Unit, key: Key, circles: set[Stedkode]) -> None:
    above = units.above(unit.sted)
    place = units.place(key, above) if above else Place(draft.home, None, ())
    note = "unit-parent-not-exported" if place.note else None
    if Stedkode(unit.sted.organisasjon or draft.ids.institution, *unit.sted[1:]) in circles:
        place, note = Place(draft.home, None, ()), "unit-parent-cycle"
    name = choose(unit.navn, draft.names.languages)
    rule, also = ruled("unit-exported", note, None if name else "name-missing")
    account = Account(key.sis_id, name or key.sis_id, place.account, origin=Origin(unit.source))
    draft.want(unit.source, (unit.subject,), (account,), rule, (*place.facts, *also))

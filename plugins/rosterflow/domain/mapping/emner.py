"""Emner: an account each, under the responsible unit.

Source: issue 2 §2.4 (Emner); FS reference §4.2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import product

from rosterflow.domain.fs.rows import Emne, EmneKey, Navn
from rosterflow.domain.mapping.draft import Draft, ruled
from rosterflow.domain.mapping.units import Units
from rosterflow.domain.model import Account, Key, Kind, Origin
from rosterflow.domain.naming import choose, titled


def merged(rows: Iterable[Emne]) -> list[Emne]:
    """One row for each emne out of the two operations that read emner; `emner` has the last word.

    Rows of one operation that contradict each other stay apart, and will be found to form one id.
    """
    alone: dict[EmneKey, list[Emne | None]] = defaultdict(list)
    taught: dict[EmneKey, list[Emne | None]] = defaultdict(list)
    for row in rows:
        (taught if row.fra_undervisning else alone)[row.key].append(row)
    for variants in (*alone.values(), *taught.values()):
        if len(variants) > 1:
            variants.sort(key=repr)
    keys = dict.fromkeys((*alone, *taught))
    pairs = (pair for key in keys for pair in product(alone.get(key, [None]), taught.get(key, [None])))
    return list(dict.fromkeys(_merge(*pair) for pair in pairs))


def _merge(alone: Emne | None, taught: Emne | None) -> Emne:
    if alone is None or taught is None:
        either = alone or taught
        assert either is not None  # a pair is only made for an emne that was read
        return replace(either, fra_undervisning=False)
    has_unit = alone.studieansvarlig or alone.administrativt_ansvarlig
    responsible = alone if has_unit else taught
    return Emne(
        key=alone.key,
        navn=Navn(*(first or second for first, second in zip(alone.navn, taught.navn, strict=True))),
        studieansvarlig=responsible.studieansvarlig,
        administrativt_ansvarlig=responsible.administrativt_ansvarlig,
        tjenestenummer_for_lms=alone.tjenestenummer_for_lms or taught.tjenestenummer_for_lms,
    )


def map_emner(draft: Draft, units: Units, emner: Iterable[Emne], taught: Collection[EmneKey]) -> None:
    """Ask for an account for each emne that is taught, that already has one, or for all (setting).

    :param taught: the emner with an exported undervisningsenhet in the scope.
    """
    for emne in emner:
        key = Key(Kind.ACCOUNT, draft.ids.emne(emne.key))
        if not draft.is_ours(emne.tjenestenummer_for_lms):
            facts = (("tjenestenummerForLms", emne.tjenestenummer_for_lms or "null"),)
            draft.refuse(emne.source, emne.subject, "emne-not-ours", facts, key)
        elif rule := _reason(draft, key, is_taught=emne.key in taught):
            _want(draft, units, emne, rule)
        else:
            draft.refuse(emne.source, emne.subject, "emne-without-teaching", (), key)


def _reason(draft: Draft, key: Key, *, is_taught: bool) -> str | None:
    if is_taught:
        return "emne-exported"
    if draft.institution.emne_accounts == "all":
        return "emne-all"
    return "emne-kept" if key in draft.confirmed else None


def _want(draft: Draft, units: Units, emne: Emne, rule: str) -> None:
    key = Key(Kind.ACCOUNT, draft.ids.emne(emne.key))
    place = units.place(key, emne.studieansvarlig or emne.administrativt_ansvarlig)
    name = choose(emne.navn, draft.names.languages)
    account = Account(
        sis_id=key.sis_id,
        name=titled(draft.names.emne_account, emne.key.kode, name, versjon=emne.key.versjonskode),
        parent=place.account,
        origin=Origin(emne.source, lineage=draft.ids.emne_lineage(emne.key)),
    )
    rule, also = ruled(rule, place.note, None if name else "name-missing")
    draft.want(emne.source, (emne.subject,), (account,), rule, (*place.facts, *also))

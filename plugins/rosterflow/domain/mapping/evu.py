"""EVU courses: a course in the account of their unit, with their dates.

Source: issue 2 §2.4 (EVU); FS reference §4.6.
"""

from __future__ import annotations

from collections.abc import Iterable

from rosterflow.domain.fs.rows import EvuKurs
from rosterflow.domain.mapping.draft import Draft, ruled
from rosterflow.domain.mapping.units import Units
from rosterflow.domain.model import Course, Key, Kind, Origin
from rosterflow.domain.naming import choose, titled
from rosterflow.domain.windows import day_end, day_start


def map_evu(draft: Draft, units: Units, rows: Iterable[EvuKurs]) -> None:
    """Ask for a course for each exported EVU course."""
    for row in rows:
        key = Key(Kind.COURSE, draft.ids.evu(row.kode, row.tidsangivelse))
        if not row.er_aktiv:
            draft.refuse(row.source, row.subject, "evu-inactive", (("erAktiv", "false"),), key)
        elif not row.skal_eksporteres_til_lms:
            draft.refuse(row.source, row.subject, "evu-not-exported", (("skalEksporteresTilLms", "false"),), key)
        elif not draft.is_ours(row.tjenestenummer_for_lms):
            facts = (("tjenestenummerForLms", row.tjenestenummer_for_lms or "null"),)
            draft.refuse(row.source, row.subject, "evu-not-ours", facts, key)
        else:
            _want(draft, units, row, key)


def _want(draft: Draft, units: Units, row: EvuKurs, key: Key) -> None:
    zone = draft.institution.zone
    place = units.place(key, row.administrativt_ansvarlig)
    name = choose(row.navn, draft.names.languages)
    course = Course(
        sis_id=key.sis_id,
        short_name=titled(draft.names.course_short, row.kode, name, tidsangivelse=row.tidsangivelse),
        long_name=titled(draft.names.evu_course, row.kode, name, tidsangivelse=row.tidsangivelse),
        account=place.account,
        start=day_start(row.fra_dato, zone) if row.fra_dato else None,
        end=day_end(row.til_dato, zone) if row.til_dato else None,
        origin=Origin(row.source),
    )
    rule, also = ruled("evu-exported", place.note, None if name else "name-missing")
    draft.want(row.source, (row.subject,), (course,), rule, (*place.facts, *also))

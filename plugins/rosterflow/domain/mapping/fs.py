"""FS's rows as the world Canvas should hold: one pure function from what was read to a snapshot.

Each kind of row has its module beside this one. A row asks a :class:`~rosterflow.domain.mapping.draft.Draft` for
objects, or says by which rule it asks for none; when all have spoken the draft settles collisions and missing parents.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import FsSource, UnreadableRow
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.activities import map_activities
from rosterflow.domain.mapping.draft import Draft
from rosterflow.domain.mapping.emner import map_emner, merged
from rosterflow.domain.mapping.evu import map_evu
from rosterflow.domain.mapping.programmes import map_programmes
from rosterflow.domain.mapping.rules import RULES
from rosterflow.domain.mapping.teaching import map_teaching
from rosterflow.domain.mapping.terms import Terms
from rosterflow.domain.mapping.units import Units, map_units
from rosterflow.domain.model import CanvasObject, Key, SourceKind
from rosterflow.domain.snapshot import Scope, Snapshot

__all__ = ["LACKING_2023", "RULES", "map_fs"]

LACKING_2023 = (
    ("terminer", "no terms: their dates come from the calendar"),
    ("Organisasjonsenhet.parent", "the unit above is found by the numbers"),
    ("skalEksporteresTilLms", "what is not exported is not seen, and counts as gone"),
    ("Emne.administrativtAnsvarligOrganisasjonsenhet", "only the study-responsible unit is known"),
    ("Undervisningsenhet.sisteTermin", "a course ends with the last term seen"),
    ("Undervisningsaktivitet.parent", "activities have their own name alone"),
)
"""What the dialect of 2023 does not carry, and what is done instead; one decision of each run says so."""


def map_fs(institution: Institution, scope: Scope, source: FsSource, confirmed: Mapping[Key, CanvasObject]) -> Snapshot:
    """What Canvas should hold by what was read from FS.

    :param scope: what the run speaks about; teaching in other terms is left alone.
    :param confirmed: the alive objects as Canvas confirmed them; what exists decides what is kept.
    :returns: a snapshot, complete when the source has no gaps, with one decision for each row.
    """
    gaps = (*source.gaps, *_own_unit_gap(institution, source))
    draft = Draft(institution, scope, confirmed, is_whole=not gaps)
    unread = _take_unreadable(draft, source)
    units = Units(draft, source.units)
    terms = Terms(draft, source.terminer)
    emner = merged(source.emner)
    by_key = {emne.key: emne for emne in reversed(emner)}
    map_units(draft, units, source.units)
    teaching = map_teaching(draft, terms, by_key, source.undervisningsenheter, unread)
    map_emner(draft, units, emner, teaching.taught)
    outside = map_activities(draft, terms, by_key, teaching, source.undervisningsaktiviteter)
    map_programmes(draft, units, source)
    map_evu(draft, units, source.evu_kurs)
    terms.map()
    _note_unknown_emner(draft, {emne.key.kode for emne in emner} | unread)
    _note_the_read(draft, outside_ue=teaching.outside, outside_ua=outside)
    outcome = draft.finish()
    return Snapshot(
        scope=scope,
        objects=outcome.objects,
        gaps=gaps,
        untouchable=outcome.untouchable,
        decisions=outcome.decisions,
        problems=outcome.problems,
        rows_read=_rows_read(draft, source, len(by_key)),
    )


_IDS_BELOW: dict[SourceKind, tuple[str, ...]] = {
    SourceKind.EMNE: ("EMNE", "UE", "UA"),
    SourceKind.UNDERVISNINGSAKTIVITET: ("UA",),
    SourceKind.STUDIEPROGRAM: ("STUDIEPROGRAM", "KULL", "KLASSE"),
    SourceKind.KULL: ("KULL", "KLASSE"),
    SourceKind.KLASSE: ("KLASSE",),
    SourceKind.EVU_KURS: ("EVU",),
}
"""What an unreadable row of a kind may have stood for, by the first word of its SIS id."""


def _take_unreadable(draft: Draft, source: FsSource) -> set[str]:
    """Keep what unreadable rows may stand for as it is; returns the koder of emner of which not all could be read."""
    unread: set[str] = set()
    for problem in source.problems:
        draft.problem(problem)
        if not isinstance(problem, UnreadableRow):
            continue
        draft.refuse(problem.source, problem.subject, "row-invalid", (("field", problem.field),))
        if problem.known:
            for sis_id in _possible_ids(draft, problem):
                draft.protect_below(sis_id)
            if problem.source in {SourceKind.EMNE, SourceKind.UNDERVISNINGSENHET}:
                unread.add(problem.known[0])
    return unread


def _possible_ids(draft: Draft, problem: UnreadableRow) -> list[str]:
    """The beginnings of the SIS ids that a row may have, as far as its key is known."""
    institution, known = draft.ids.institution, problem.known
    match problem.source:
        case SourceKind.TERMIN:
            return ["_".join(known)]
        case SourceKind.ORGANISASJONSENHET:
            return ["_".join((known[0] or institution, *known[1:]))]
        case SourceKind.UNDERVISNINGSENHET:  # its course has the id of a first term, which only a whole key tells
            return ["_".join(("UE", institution, *known[:2])), "_".join(("UA", institution, *known))]
        case kind:
            return ["_".join((word, institution, *known)) for word in _IDS_BELOW[kind]]


def _own_unit_gap(institution: Institution, source: FsSource) -> list[str]:
    """Several units without numbers: all but one of them stand for a unit that nobody can tell."""
    own = [u for u in source.units if u.sted[1:] == ("0", "0", "0") and u.sted[0] in {"", institution.number}]
    return [f"{len(own)} units have no numbers, but only one can be the institution's own."] if len(own) > 1 else []


def _note_unknown_emner(draft: Draft, read: Collection[str]) -> None:
    """One problem for each emne that the run is for and FS does not have."""
    for kode in (draft.scope.emnekoder or frozenset()).difference(read):
        message = f"The run was asked for emne {kode!r}, and FS has none with that code."
        draft.problem(RowProblem(Code.EMNE_UNKNOWN, SourceKind.EMNE, kode, "kode", message))


def _note_the_read(draft: Draft, *, outside_ue: int, outside_ua: int) -> None:
    """One decision for the run on what its dialect lacks, and one on what it narrowed."""
    if draft.institution.fs.dialect == "2023":
        draft.note(SourceKind.ORGANISASJONSENHET, "dialect 2023", "dialect-2023-lacks", LACKING_2023)
    if outside_ue or outside_ua:
        facts = (("undervisningsenheter", str(outside_ue)), ("undervisningsaktiviteter", str(outside_ua)))
        draft.refuse(SourceKind.UNDERVISNINGSENHET, "outside the terms", "outside-terms", facts)


def _rows_read(draft: Draft, source: FsSource, emner: int) -> dict[SourceKind, int]:
    """Rows of each kind before any rule, teaching in the scope's terms only: FS answers with later terms too.

    An emne that two operations read is one row.
    """
    counts = {
        SourceKind.TERMIN: len(source.terminer),
        SourceKind.ORGANISASJONSENHET: len(source.units),
        SourceKind.EMNE: emner,
        SourceKind.UNDERVISNINGSENHET: sum(ue.key.semester in draft.terms for ue in source.undervisningsenheter),
        SourceKind.UNDERVISNINGSAKTIVITET: sum(ua.ue.semester in draft.terms for ua in source.undervisningsaktiviteter),
        SourceKind.STUDIEPROGRAM: len(source.studieprogram),
        SourceKind.KULL: len(source.kull),
        SourceKind.KLASSE: len(source.klasser),
        SourceKind.EVU_KURS: len(source.evu_kurs),
    }
    for problem in source.problems:
        if isinstance(problem, UnreadableRow) and not _is_outside(draft, problem):
            counts[problem.source] += 1
    return counts


def _is_outside(draft: Draft, problem: UnreadableRow) -> bool:
    """Whether an unreadable row is teaching in a term that the run does not cover."""
    match problem.source, problem.known:
        case ((SourceKind.UNDERVISNINGSENHET | SourceKind.UNDERVISNINGSAKTIVITET), (_, _, term, *_)):
            return term not in draft.scope.terms
        case _:
            return False

"""Undervisningsaktiviteter: a section in their undervisningsenhet's course, a room of their own, or nothing.

Source: issue 2 §2.4 (Undervisningsaktiviteter); FS reference §4.4, §7.10, §8.3 (lmsRomkode in use).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import Emne, EmneKey, UeKey, Undervisningsaktivitet
from rosterflow.domain.mapping.draft import Draft, Facts, ruled
from rosterflow.domain.mapping.teaching import Teaching
from rosterflow.domain.mapping.terms import Terms
from rosterflow.domain.model import Course, Key, Kind, Origin, Section, SourceKind
from rosterflow.domain.naming import choose, render, term_name, term_short, titled

KIND = SourceKind.UNDERVISNINGSAKTIVITET


def map_activities(
    draft: Draft,
    terms: Terms,
    emner: Mapping[EmneKey, Emne],
    teaching: Teaching,
    rows: Iterable[Undervisningsaktivitet],
) -> int:
    """Ask for what each exported activity's room code means; returns how many lie outside the scope's terms."""
    trees: dict[UeKey, dict[str, Undervisningsaktivitet]] = defaultdict(dict)
    rows = sorted(rows, key=repr)
    outside = 0
    for row in rows:
        trees[row.ue][row.kode] = row
    for row in rows:
        sis_id = draft.ids.ua(row.ue, row.kode)
        keys = Key(Kind.SECTION, sis_id), Key(Kind.COURSE, sis_id)
        if row.ue.semester.sis_id not in draft.scope.terms:
            outside += 1
        elif row.ue not in teaching.course:
            _refuse_with_parent(draft, teaching, row, keys)
        elif not row.skal_eksporteres_til_lms:
            draft.refuse(KIND, row.subject, "ua-not-exported", (("skalEksporteresTilLms", "false"),), *keys)
        else:
            _map_room(draft, terms, row, emner[row.ue.emne], teaching.course[row.ue], trees[row.ue])
    return outside


def _refuse_with_parent(draft: Draft, teaching: Teaching, row: Undervisningsaktivitet, keys: tuple[Key, Key]) -> None:
    match teaching.refused.get(row.ue, "parent-not-sent"):
        case "ue-not-exported":
            draft.refuse(KIND, row.subject, "ua-ue-not-exported", (("undervisningsenhet", str(row.ue)),), *keys)
        case "emne-not-ours":
            draft.refuse(KIND, row.subject, "emne-not-ours", (), *keys)
        case rule:
            draft.refuse(KIND, row.subject, rule, (), *keys)
            draft.protect(*keys)


def _map_room(
    draft: Draft,
    terms: Terms,
    row: Undervisningsaktivitet,
    emne: Emne,
    course: str,
    tree: Mapping[str, Undervisningsaktivitet],
) -> None:
    sis_id = draft.ids.ua(row.ue, row.kode)
    keys = Key(Kind.SECTION, sis_id), Key(Kind.COURSE, sis_id)
    facts: Facts = (("lmsRomkode", row.lms_romkode or "null"),)
    rooms = draft.institution.room_codes
    room = rooms.default if row.lms_romkode is None else rooms.codes.get(row.lms_romkode)
    name, note = _flat_name(draft, row, tree)
    if room is None:
        message = f"The lmsRomkode {row.lms_romkode!r} of undervisningsaktivitet {row.subject} is not in room_codes."
        draft.problem(RowProblem(Code.ROOM_CODE_UNKNOWN, KIND, row.subject, "lmsRomkode", message))
        draft.refuse(KIND, row.subject, "ua-room-code-unknown", facts, *keys)
        draft.protect(*keys)
    elif room == "none":
        draft.refuse(KIND, row.subject, "ua-none", facts, *keys)
    elif room == "section":
        rule, also = ruled("ua-section", note)
        draft.want(KIND, (row.subject,), (_section(draft, row, name, course),), rule, (*facts, *also))
    else:
        rule, also = ruled("ua-own-room", note)
        things = _course(draft, terms, row, emne, name), _section(draft, row, name, sis_id)
        draft.want(KIND, (row.subject,), things, rule, (*facts, *also))


def _flat_name(
    draft: Draft, row: Undervisningsaktivitet, tree: Mapping[str, Undervisningsaktivitet]
) -> tuple[str, str | None]:
    """``Parent / Child`` up to the root of the tree, and the rule by which it is not that, if it is not."""
    own = choose(row.navn, draft.names.languages)
    names: list[str] = []
    seen = {row.kode}
    above = tree.get(row.parent) if row.parent else None
    while above is not None:
        if above.kode in seen:
            return own or row.kode, "ua-parent-cycle"
        seen.add(above.kode)
        names.append(choose(above.navn, draft.names.languages) or above.kode)
        above = tree.get(above.parent) if above.parent else None
    flat = " / ".join((*reversed(names), own or row.kode))
    return flat, None if own else "name-missing"


def _origin(draft: Draft, row: Undervisningsaktivitet) -> Origin:
    return Origin(KIND, row.ue.semester.sis_id, draft.ids.ua_lineage(row.ue, row.kode))


def _section(draft: Draft, row: Undervisningsaktivitet, name: str, course: str) -> Section:
    label = render(
        draft.names.section_ua,
        kode=row.kode,
        navn=name,
        versjon=row.ue.emne.versjonskode,
        termin=term_name(row.ue.semester, draft.names),
        termin_kort=term_short(row.ue.semester),
    )
    return Section(draft.ids.ua(row.ue, row.kode), label, course, origin=_origin(draft, row))


def _course(draft: Draft, terms: Terms, row: Undervisningsaktivitet, emne: Emne, name: str) -> Course:
    names = draft.names
    emne_name = choose(emne.navn, names.languages)
    labels = {
        "kode": emne.key.kode,
        "versjon": emne.key.versjonskode,
        "termin": term_name(row.ue.semester, names),
        "termin_kort": term_short(row.ue.semester),
    }
    return Course(
        sis_id=draft.ids.ua(row.ue, row.kode),
        short_name=render("{short} {kode}", short=titled(names.course_short, name=emne_name, **labels), kode=row.kode),
        long_name=titled(names.course_long, name=f"{emne_name} – {name}" if emne_name else name, **labels),
        account=draft.ids.emne(emne.key),
        term=terms.use(row.ue.semester),
        origin=_origin(draft, row),
    )

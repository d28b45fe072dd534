"""Undervisningsaktiviteter: a section in their undervisningsenhet's course, a room of their own, or nothing.

Source: issue 2 §2.4 (Undervisningsaktiviteter); FS reference §4.4, §7.10, §8.3 (lmsRomkode in use).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import Emne, EmneKey, UeKey, Undervisningsaktivitet
from rosterflow.domain.mapping.draft import Draft, Facts, ruled
from rosterflow.domain.mapping.teaching import Teaching
from rosterflow.domain.mapping.terms import Terms
from rosterflow.domain.model import CanvasObject, Course, Key, Kind, Origin, Section, SourceKind, key_of
from rosterflow.domain.naming import choose, render, term_name, term_short, titled

KIND = SourceKind.UNDERVISNINGSAKTIVITET


def map_activities(
    draft: Draft,
    terms: Terms,
    emner: Mapping[EmneKey, Emne],
    teaching: Teaching,
    rows: Collection[Undervisningsaktivitet],
) -> int:
    """Ask for what each exported activity's room code means; returns how many lie outside the scope's terms."""
    trees = _Trees(draft, rows)
    outside = 0
    for row in rows:
        if row.ue.semester not in draft.terms:
            outside += 1
            continue
        sis_id = draft.ids.ua(row.ue, row.kode)
        keys = Key(Kind.SECTION, sis_id), Key(Kind.COURSE, sis_id)
        if row.ue not in teaching.course:
            _refuse_with_parent(draft, teaching, row, keys)
        elif not row.skal_eksporteres_til_lms:
            draft.refuse(KIND, row.subject, "ua-not-exported", (("skalEksporteresTilLms", "false"),), *keys)
        elif room := _room(draft, row, keys):
            name, note = trees.flat_name(row)
            if room == "section":
                things: tuple[CanvasObject, ...] = (_section(draft, row, sis_id, name, teaching.course[row.ue]),)
            else:
                course = _course(draft, terms, row, sis_id, emner[row.ue.emne], name)
                things = course, _section(draft, row, sis_id, name, sis_id)
            if not draft.is_whole and not trees.is_rooted(row):
                things = tuple(_called_as_before(draft, thing) for thing in things)
            rule, also = ruled("ua-section" if room == "section" else "ua-own-room", note)
            draft.want(KIND, (row.subject,), things, rule, (*_facts(row), *also))
    return outside


def _refuse_with_parent(draft: Draft, teaching: Teaching, row: Undervisningsaktivitet, keys: tuple[Key, Key]) -> None:
    rule = teaching.refused.get(row.ue, "parent-not-sent")
    if rule == "ue-not-exported":
        rule = "ua-ue-not-exported"
    elif rule == "parent-not-sent":
        draft.protect(*keys)
    draft.refuse(KIND, row.subject, rule, (("undervisningsenhet", str(row.ue)),), *keys)


def _room(draft: Draft, row: Undervisningsaktivitet, keys: tuple[Key, Key]) -> str | None:
    """``section`` or ``own_room``; ``None`` when the room code means nothing, or is unknown, which is recorded."""
    rooms = draft.institution.room_codes
    room = rooms.default if row.lms_romkode is None else rooms.codes.get(row.lms_romkode)
    if room is None:
        message = f"The lmsRomkode {row.lms_romkode!r} of undervisningsaktivitet {row.subject} is not in room_codes."
        draft.problem(RowProblem(Code.ROOM_CODE_UNKNOWN, KIND, row.subject, "lmsRomkode", message))
        draft.refuse(KIND, row.subject, "ua-room-code-unknown", _facts(row), *keys)
        draft.protect(*keys)
    elif room == "none":
        draft.refuse(KIND, row.subject, "ua-none", _facts(row), *keys)
    return None if room == "none" else room


class _Trees:
    """The activities of each undervisningsenhet by their kode, to find what lies above one."""

    def __init__(self, draft: Draft, rows: Iterable[Undervisningsaktivitet]) -> None:
        self._languages = draft.names.languages
        self._by_ue: dict[UeKey, dict[str, Undervisningsaktivitet]] = defaultdict(dict)
        for row in rows:
            tree = self._by_ue[row.ue]
            known = tree.setdefault(row.kode, row)
            if known is not row and repr(row) < repr(known):  # contradictory rows: the same one in whatever order
                tree[row.kode] = row

    def is_rooted(self, row: Undervisningsaktivitet) -> bool:
        """Whether all activities above one were seen."""
        tree = self._by_ue[row.ue]
        seen = {row.kode}
        while row.parent and row.parent not in seen:
            if row.parent not in tree:
                return False
            row = tree[row.parent]
            seen.add(row.kode)
        return True

    def flat_name(self, row: Undervisningsaktivitet) -> tuple[str, str | None]:
        """``Parent / Child`` up to the root, and the rule by which it is not that, if it is not."""
        own = choose(row.navn, self._languages)
        tree = self._by_ue[row.ue]
        names = [own or row.kode]
        seen = {row.kode}
        above = tree.get(row.parent) if row.parent else None
        while above is not None:
            if above.kode in seen:
                return own or row.kode, "ua-parent-cycle"
            seen.add(above.kode)
            names.append(choose(above.navn, self._languages) or above.kode)
            above = tree.get(above.parent) if above.parent else None
        return " / ".join(reversed(names)), None if own else "name-missing"


def _called_as_before(draft: Draft, thing: CanvasObject) -> CanvasObject:
    """The object under the name by which Canvas has it, because activities above it were not seen."""
    match thing, draft.confirmed.get(key_of(thing)):
        case Section(), Section(name=name):
            return replace(thing, name=name)
        case Course(), Course(long_name=name):
            return replace(thing, long_name=name)
        case _:
            return thing


def _facts(row: Undervisningsaktivitet) -> Facts:
    return (("lmsRomkode", row.lms_romkode or "null"),)


def _origin(draft: Draft, row: Undervisningsaktivitet) -> Origin:
    return Origin(KIND, row.ue.semester.sis_id, draft.ids.ua_lineage(row.ue, row.kode))


def _section(draft: Draft, row: Undervisningsaktivitet, sis_id: str, name: str, course: str) -> Section:
    label = render(
        draft.names.section_ua,
        kode=row.kode,
        navn=name,
        versjon=row.ue.emne.versjonskode,
        termin=term_name(row.ue.semester, draft.names),
        termin_kort=term_short(row.ue.semester),
    )
    return Section(sis_id, label, course, origin=_origin(draft, row))


def _course(draft: Draft, terms: Terms, row: Undervisningsaktivitet, sis_id: str, emne: Emne, name: str) -> Course:
    names = draft.names
    emne_name = choose(emne.navn, names.languages)
    labels = {
        "kode": emne.key.kode,
        "versjon": emne.key.versjonskode,
        "termin": term_name(row.ue.semester, names),
        "termin_kort": term_short(row.ue.semester),
    }
    return Course(
        sis_id=sis_id,
        short_name=render("{short} {kode}", short=titled(names.course_short, name=emne_name, **labels), kode=row.kode),
        long_name=titled(names.course_long, name=f"{emne_name} – {name}" if emne_name else name, **labels),
        account=draft.ids.emne(emne.key),
        term=terms.use(row.ue.semester),
        origin=_origin(draft, row),
    )

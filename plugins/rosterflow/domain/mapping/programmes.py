"""Study programmes, kull and klasser: an account, courses in it, and sections.

Each of the three must be exported itself (the parent rule, FS reference §7.10).
Source: issue 2 §2.4 (Study programmes, kull, klasser); FS reference §4.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rosterflow.domain.fs.rows import FsSource, Klasse, Kull, Studieprogram
from rosterflow.domain.mapping.draft import Draft, ruled
from rosterflow.domain.mapping.units import Units
from rosterflow.domain.model import Account, Course, Key, Kind, Origin, Section
from rosterflow.domain.naming import choose, term_name, term_short, titled
from rosterflow.domain.windows import Semester

KullKey = tuple[str, Semester]


def map_programmes(draft: Draft, units: Units, source: FsSource) -> None:
    """Ask for what each exported programme, kull and klasse becomes."""
    sent: dict[str, str] = {}
    for program in sorted(source.studieprogram, key=repr):
        if _map_programme(draft, units, program):
            sent[program.kode] = choose(program.navn, draft.names.languages) or program.kode
    klasser: dict[KullKey, list[Klasse]] = defaultdict(list)
    for klasse in source.klasser:
        klasser[klasse.program, klasse.semester].append(klasse)
    kull_sent: dict[KullKey, bool] = defaultdict(bool)
    for kull in source.kull:
        kull_sent[kull.program, kull.semester] |= _map_kull(draft, sent, kull)
    for key, group in klasser.items():
        _map_klasser(draft, sent, group, is_kull_sent=kull_sent[key])


def _refusal(kind: str, row: Studieprogram | Kull | Klasse) -> str | None:
    if not row.er_aktiv:
        return f"{kind}-inactive"
    return None if row.skal_eksporteres_til_lms else f"{kind}-not-exported"


def _map_programme(draft: Draft, units: Units, row: Studieprogram) -> bool:
    """Whether the programme is sent."""
    sis_id = draft.ids.programme(row.kode)
    if rule := _refusal("programme", row):
        draft.refuse(row.source, row.subject, rule, (), Key(Kind.ACCOUNT, sis_id), Key(Kind.COURSE, sis_id))
        return False
    place = units.place(Key(Kind.ACCOUNT, sis_id), row.studieansvarlig)
    name = choose(row.navn, draft.names.languages)
    origin = Origin(row.source)
    account = Account(sis_id, titled(draft.names.programme_account, row.kode, name), place.account, origin=origin)
    things: Sequence[Account | Course] = (account,)
    if row.lms_romkode:
        short = titled(draft.names.course_short, row.kode, name)
        things = (
            account,
            Course(sis_id, short, titled(draft.names.programme_course, row.kode, name), sis_id, origin=origin),
        )
    rule = "programme-with-course" if row.lms_romkode else "programme-exported"
    rule, also = ruled(rule, place.note, None if name else "name-missing")
    facts = (("lmsRomkode", row.lms_romkode or "null"), *place.facts, *also)
    draft.want(row.source, (row.subject,), things, rule, facts)
    return True


def _map_kull(draft: Draft, programmes: Mapping[str, str], row: Kull) -> bool:
    """Whether the kull is sent."""
    sis_id = draft.ids.kull(row.program, row.semester)
    key = Key(Kind.COURSE, sis_id)
    rule = None if row.program in programmes else "kull-programme-not-sent"
    if rule := rule or _refusal("kull", row):
        draft.refuse(row.source, row.subject, rule, (), key)
        return False
    if not draft.is_ours(row.tjenestenummer_for_lms):
        facts = (("tjenestenummerForLms", row.tjenestenummer_for_lms or "null"),)
        draft.refuse(row.source, row.subject, "kull-not-ours", facts, key)
        return False
    name = choose(row.navn, draft.names.languages)
    label = _Label(draft, row, programmes)
    fallback = term_name(row.semester, draft.names)
    course = Course(
        sis_id=sis_id,
        short_name=label.titled(draft.names.course_short, row.program, name or fallback),
        long_name=label.titled(draft.names.kull_course, row.program, name or fallback),
        account=draft.ids.programme(row.program),
        origin=Origin(row.source),
    )
    rule, also = ruled("kull-exported", None if name else "name-missing")
    draft.want(row.source, (row.subject,), (course,), rule, also)
    return True


class _Label:
    """Puts the programme and the start term of a kull or klasse into patterns."""

    def __init__(self, draft: Draft, row: Kull | Klasse, programmes: Mapping[str, str]) -> None:
        self._variables = {
            "program": programmes[row.program],
            "termin": term_name(row.semester, draft.names),
            "termin_kort": term_short(row.semester),
        }

    def titled(self, template: str, kode: str, name: str) -> str:
        return titled(template, kode, name, **self._variables)


def _map_klasser(draft: Draft, programmes: Mapping[str, str], rows: Iterable[Klasse], *, is_kull_sent: bool) -> None:
    """Ask for what the klasser of one kull become."""
    for row in rows:
        sis_id = draft.ids.klasse(row.program, row.semester, row.kode)
        keys = Key(Kind.SECTION, sis_id), Key(Kind.COURSE, sis_id)
        rule = None if is_kull_sent else "klasse-kull-not-sent"
        if rule := rule or _refusal("klasse", row):
            draft.refuse(row.source, row.subject, rule, (), *keys)
        else:
            _want_klasse(draft, programmes, row, sis_id)


def _want_klasse(draft: Draft, programmes: Mapping[str, str], row: Klasse, sis_id: str) -> None:
    name = choose(row.navn, draft.names.languages)
    label = _Label(draft, row, programmes)
    origin = Origin(row.source)
    thing: Course | Section
    if row.lms_romkode:
        short = label.titled(draft.names.course_short, f"{row.program} {row.kode}", name)
        long = label.titled(draft.names.klasse_course, row.kode, name)
        thing = Course(sis_id, short, long, draft.ids.programme(row.program), origin=origin)
    else:
        section = label.titled(draft.names.klasse_section, row.kode, name)
        thing = Section(sis_id, section, draft.ids.kull(row.program, row.semester), origin=origin)
    rule = "klasse-course" if row.lms_romkode else "klasse-section"
    rule, also = ruled(rule, None if name else "name-missing")
    draft.want(row.source, (row.subject,), (thing,), rule, (("lmsRomkode", row.lms_romkode or "null"), *also))

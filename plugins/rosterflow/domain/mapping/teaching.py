"""Undervisningsenheter: a course and a section each, in the course of the emne they follow if they follow one.

Source: issue 2 §2.4 (Undervisningsenheter); FS reference §4.3, §8.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rosterflow.domain.fs.rows import Emne, EmneKey, UeKey, Undervisningsenhet
from rosterflow.domain.mapping.chains import Chain, Leaders, chains_of
from rosterflow.domain.mapping.draft import Draft, ruled
from rosterflow.domain.mapping.terms import Terms
from rosterflow.domain.model import Course, Key, Kind, Origin, Section, SourceKind
from rosterflow.domain.naming import choose, term_name, term_short, titled
from rosterflow.domain.windows import Semester

KIND = SourceKind.UNDERVISNINGSENHET


@dataclass(slots=True)
class Teaching:
    """What the activities of undervisningsenheter need to know about them.

    :param course: SIS id of the course in which the section of an exported undervisningsenhet lies.
    :param refused: the rule by which an undervisningsenhet is not sent.
    :param outside: how many undervisningsenheter lie in terms that the run does not cover.
    """

    course: dict[UeKey, str] = field(default_factory=dict)
    refused: dict[UeKey, str] = field(default_factory=dict)
    outside: int = 0

    @property
    def taught(self) -> set[EmneKey]:
        """The emner with an exported undervisningsenhet in the scope."""
        return {key.emne for key in self.course}


def map_teaching(
    draft: Draft,
    terms: Terms,
    emner: Mapping[EmneKey, Emne],
    rows: Iterable[Undervisningsenhet],
    unread: Collection[str],
) -> Teaching:
    """Ask for a course and a section for each exported undervisningsenhet in the scope's terms.

    :param unread: koder of emner of which a row could not be read, so that nobody knows what follows them.
    """
    teaching = Teaching()
    by_key: dict[UeKey, list[Undervisningsenhet]] = defaultdict(list)
    for row in rows:
        if row.key.semester.sis_id not in draft.scope.terms:
            teaching.outside += 1
        elif rule := _refusal(draft, emner.get(row.key.emne), row):
            teaching.refused[row.key] = rule
        else:
            by_key[row.key].append(row)
    chains = chains_of((min(variants, key=repr) for variants in by_key.values()), emner)
    leaders = Leaders(chains)
    for chain in chains:
        course = _map_chain(draft, terms, chain, leaders, unread)
        for enhet in chain.enheter:
            teaching.course[enhet.key] = course
            for _ in by_key[enhet.key][1:]:
                _want_again(draft, terms, chain, enhet)
    return teaching


def _refusal(draft: Draft, emne: Emne | None, row: Undervisningsenhet) -> str | None:
    """Record why a row is not sent, and tell by which rule; ``None`` when it is."""
    key = Key(Kind.COURSE, draft.ids.ue(row.key.emne, _first(row)))
    if not row.skal_eksporteres_til_lms:
        draft.refuse(KIND, row.subject, rule := "ue-not-exported", (("skalEksporteresTilLms", "false"),), key)
    elif emne is None:
        draft.refuse(KIND, row.subject, rule := "parent-not-sent", (), key)
        draft.protect(key, Key(Kind.SECTION, key.sis_id))
    elif not draft.is_ours(emne.tjenestenummer_for_lms):
        facts = (("tjenestenummerForLms", emne.tjenestenummer_for_lms or "null"),)
        draft.refuse(KIND, row.subject, rule := "emne-not-ours", facts, key)
    else:
        return None
    return rule


def _map_chain(draft: Draft, terms: Terms, chain: Chain, leaders: Leaders, unread: Collection[str]) -> str:
    """Ask for a chain's objects; returns the SIS id of the course in which its section lies."""
    own = Key(Kind.COURSE, draft.ids.ue(chain.emne.key, chain.first))
    leader, rule = leaders.of(chain)
    if _may_follow_unread(draft, leader, leaders.of(leader)[1], unread):
        return _leave(draft, chain, own)
    course_id = draft.ids.ue(leader.emne.key, leader.first)
    section = _section(draft, chain, course_id)
    kept = draft.confirmed.get(own)
    if leader is chain:
        things: tuple[Course | Section, ...] = (_course(draft, terms, chain), section)
    elif isinstance(kept, Course):
        things, rule = (section, replace(kept, origin=_origin(draft, chain))), "followed-course-kept"
    else:
        things = (section,)
    has_name = choose(chain.emne.navn, draft.names.languages)
    rule, also = ruled("ue-exported", rule, None if has_name else "name-missing")
    draft.want(KIND, chain.subjects, things, rule, (*_facts(chain), *also))
    return course_id


def _may_follow_unread(draft: Draft, chain: Chain, rule: str | None, unread: Collection[str]) -> bool:
    """Whether an emne that the chain follows may have teaching that was not read, so that nobody knows its course."""
    followed = {enhet.undervisningen_folger for enhet in chain.enheter if enhet.undervisningen_folger}
    if not followed.isdisjoint(unread):
        return True
    read = draft.scope.emnekoder
    return rule == "followed-missing" and (not draft.is_whole or (read is not None and not followed <= read))


def _leave(draft: Draft, chain: Chain, own: Key) -> str:
    """Keep a chain as Canvas has it, because the emne it follows could not be read."""
    section = draft.confirmed.get(Key(Kind.SECTION, own.sis_id))
    keys = own, Key(Kind.SECTION, own.sis_id)
    draft.protect(*keys)
    for subject in chain.subjects:
        draft.refuse(KIND, subject, "followed-not-read", _facts(chain), *keys)
    return section.course if isinstance(section, Section) else own.sis_id


def _want_again(draft: Draft, terms: Terms, chain: Chain, enhet: Undervisningsenhet) -> None:
    """A second row with the same natural key and another content asks for the same, and so is found out."""
    section = _section(draft, chain, draft.ids.ue(chain.emne.key, chain.first))
    draft.want(KIND, (enhet.subject,), (_course(draft, terms, chain), section), "ue-exported")


def _course(draft: Draft, terms: Terms, chain: Chain) -> Course:
    names = draft.names
    labels = {
        "kode": chain.emne.key.kode,
        "name": choose(chain.emne.navn, names.languages),
        "versjon": chain.emne.key.versjonskode,
        "termin": term_name(chain.first, names),
        "termin_kort": term_short(chain.first),
    }
    start, end = _dates(draft, terms, chain)
    return Course(
        sis_id=draft.ids.ue(chain.emne.key, chain.first),
        short_name=titled(names.course_short, **labels),
        long_name=titled(names.course_long, **labels),
        account=draft.ids.emne(chain.emne.key),
        term=terms.use(chain.first),
        start=start,
        end=end,
        origin=_origin(draft, chain),
    )


def _section(draft: Draft, chain: Chain, course: str) -> Section:
    emne = chain.emne
    name = titled(
        draft.names.section_ue,
        emne.key.kode,
        choose(emne.navn, draft.names.languages),
        versjon=emne.key.versjonskode,
        termin=term_name(chain.first, draft.names),
        termin_kort=term_short(chain.first),
    )
    return Section(draft.ids.ue(emne.key, chain.first), name, course, origin=_origin(draft, chain))


def _dates(draft: Draft, terms: Terms, chain: Chain) -> tuple[datetime | None, datetime | None]:
    """Dates of its own for a course over several terms; a course of one term has the term's."""
    later = _seen_later(draft, chain)
    if later is None and not chain.spans_terms:
        return None, None
    return terms.start(chain.first), terms.end(max(chain.last_term, later or chain.last_term))


def _origin(draft: Draft, chain: Chain) -> Origin:
    """Where a chain's objects come from; their term is the latest that any run has seen."""
    last = _seen_later(draft, chain) or chain.last.key.semester
    return Origin(KIND, last.sis_id, draft.ids.ue_lineage(chain.emne.key, chain.first))


def _seen_later(draft: Draft, chain: Chain) -> Semester | None:
    """A later term, outside this run's scope, in which an earlier run saw the course: a past term never shortens it."""
    key = Key(Kind.SECTION, draft.ids.ue(chain.emne.key, chain.first))
    known = draft.confirmed.get(key)
    if known is None or known.origin.term is None or known.origin.term in draft.scope.terms:
        return None
    seen = Semester.of(known.origin.term)
    return seen if seen > chain.last.key.semester else None


def _first(row: Undervisningsenhet) -> Semester:
    return row.key.semester.step(1 - row.key.terminnummer)


def _facts(chain: Chain) -> tuple[tuple[str, str], ...]:
    last = chain.last
    facts = [("skalEksporteresTilLms", "true"), ("terminnummer", str(last.key.terminnummer))]
    if last.siste_termin:
        facts.append(("sisteTermin", last.siste_termin.sis_id))
    if last.undervisningen_folger:
        facts.append(("undervisningenFolger", last.undervisningen_folger))
    return tuple(facts)

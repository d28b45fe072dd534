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
from rosterflow.domain.mapping.draft import Draft, Facts, ruled
from rosterflow.domain.mapping.terms import Terms
from rosterflow.domain.model import Course, Key, Kind, Origin, Section, SourceKind
from rosterflow.domain.naming import choose, term_name, term_short, titled
from rosterflow.domain.windows import Semester, first_term

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
        if row.key.semester not in draft.terms:
            teaching.outside += 1
        elif rule := _refusal(draft, emner.get(row.key.emne), row):
            teaching.refused[row.key] = rule
        else:
            by_key[row.key].append(row)
    chains = chains_of(draft.ids, (_one(variants) for variants in by_key.values()), emner)
    leaders = Leaders(chains)
    for chain in chains:
        course = _map_chain(draft, terms, chain, leaders, unread)
        for enhet in chain.enheter:
            teaching.course[enhet.key] = course
            for _ in by_key[enhet.key][1:]:  # contradictory rows ask for the same objects, and so are found out
                draft.want(KIND, (enhet.subject,), _things(draft, terms, chain, chain), "ue-exported")
    return teaching


def _refusal(draft: Draft, emne: Emne | None, row: Undervisningsenhet) -> str | None:
    """Record why a row is not sent, and tell by which rule; ``None`` when it is."""
    facts: Facts = ()
    if not row.skal_eksporteres_til_lms:
        rule, facts = "ue-not-exported", (("skalEksporteresTilLms", "false"),)
    elif emne is None:
        rule = "parent-not-sent"
    elif not draft.is_ours(emne.tjenestenummer_for_lms):
        rule, facts = "emne-not-ours", (("tjenestenummerForLms", emne.tjenestenummer_for_lms or "null"),)
    else:
        return None
    sis_id = draft.ids.ue(row.key.emne, first_term(row.key.semester, row.key.terminnummer))
    keys = Key(Kind.COURSE, sis_id), Key(Kind.SECTION, sis_id)
    draft.refuse(KIND, row.subject, rule, facts, *keys)
    if rule == "parent-not-sent":
        draft.protect(*keys)
    return rule


def _map_chain(draft: Draft, terms: Terms, chain: Chain, leaders: Leaders, unread: Collection[str]) -> str:
    """Ask for a chain's objects; returns the SIS id of the course in which its section lies."""
    leader, rule = leaders.of(chain)
    if _may_follow_unread(draft, leader, leaders.of(leader)[1], unread) or _is_unproven_move(draft, chain, leader):
        return _leave(draft, chain)
    things = _things(draft, terms, chain, leader)
    if leader is not chain and len(things) > 1:
        rule = "followed-course-kept"
    has_name = choose(chain.emne.navn, draft.names.languages)
    rule, also = ruled("ue-exported", rule, None if has_name else "name-missing")
    draft.want(KIND, chain.subjects, things, rule, (*_facts(chain), *also))
    return leader.sis_id


def _may_follow_unread(draft: Draft, chain: Chain, rule: str | None, unread: Collection[str]) -> bool:
    """Whether an emne that the chain follows may have teaching that was not read, so that nobody knows its course."""
    followed = {enhet.undervisningen_folger for enhet in chain.enheter if enhet.undervisningen_folger}
    if not followed.isdisjoint(unread):
        return True
    read = draft.scope.emnekoder
    return rule == "followed-missing" and (not draft.is_whole or (read is not None and not followed <= read))


def _is_unproven_move(draft: Draft, chain: Chain, leader: Chain) -> bool:
    """Whether the section would leave its course though an incomplete read may lack what keeps it there."""
    section = draft.confirmed.get(Key(Kind.SECTION, chain.sis_id))
    return not draft.is_whole and isinstance(section, Section) and section.course != leader.sis_id


def _leave(draft: Draft, chain: Chain) -> str:
    """Keep a chain as Canvas has it, because what it follows could not be read."""
    keys = Key(Kind.SECTION, chain.sis_id), Key(Kind.COURSE, chain.sis_id)
    draft.protect(*keys)
    for subject in chain.subjects:
        draft.refuse(KIND, subject, "followed-not-read", _facts(chain), *keys)
    section = draft.confirmed.get(keys[0])
    return section.course if isinstance(section, Section) else chain.sis_id


def _things(draft: Draft, terms: Terms, chain: Chain, leader: Chain) -> tuple[Course | Section, ...]:
    """A chain's section in its leader's course; its own course when it leads itself, or when Canvas has it already."""
    names, emne = draft.names, chain.emne
    labels = {
        "kode": emne.key.kode,
        "name": choose(emne.navn, names.languages),
        "versjon": emne.key.versjonskode,
        "termin": term_name(chain.first, names),
        "termin_kort": term_short(chain.first),
    }
    later = _seen_later(draft, chain)
    last_seen = later or chain.last.key.semester
    origin = Origin(KIND, last_seen.sis_id, draft.ids.ue_lineage(emne.key, chain.first))
    section = Section(chain.sis_id, titled(names.section_ue, **labels), leader.sis_id, origin=origin)
    if leader is not chain:
        kept = draft.confirmed.get(Key(Kind.COURSE, chain.sis_id))
        return (section, replace(kept, origin=origin)) if isinstance(kept, Course) else (section,)
    start, end = _dates(draft, terms, chain, later)
    course = Course(
        sis_id=chain.sis_id,
        short_name=titled(names.course_short, **labels),
        long_name=titled(names.course_long, **labels),
        account=draft.ids.emne(emne.key),
        term=terms.use(chain.first),
        start=start,
        end=end,
        origin=origin,
    )
    return course, section


def _dates(draft: Draft, terms: Terms, chain: Chain, later: Semester | None) -> tuple[datetime | None, datetime | None]:
    """Dates of its own for a course over several terms; a course of one term has the term's.

    An incomplete read may lack the course's last terms, and the dates of its first: it only makes the course longer.
    """
    start = end = None
    last = max(chain.last_term, later or chain.last_term)
    if later or chain.spans_terms:
        start, end = terms.start(chain.first), terms.end(last)
    known = draft.confirmed.get(Key(Kind.COURSE, chain.sis_id))
    if draft.is_whole or not isinstance(known, Course) or known.end is None:
        return start, end
    return known.start, max(known.end, end) if end and terms.are_dates_known(last) else known.end


def _seen_later(draft: Draft, chain: Chain) -> Semester | None:
    """A later term in which an earlier run saw the course and this one could not: that never shortens the course.

    It lies outside this run's scope, or the read is incomplete.
    """
    known = draft.confirmed.get(Key(Kind.SECTION, chain.sis_id))
    if known is None or known.origin.term is None or (draft.is_whole and known.origin.term in draft.scope.terms):
        return None
    seen = Semester.of(known.origin.term)
    return seen if seen > chain.last.key.semester else None


def _one(variants: list[Undervisningsenhet]) -> Undervisningsenhet:
    """One of the rows with the same natural key, the same one in whatever order they came."""
    return variants[0] if len(variants) == 1 else min(variants, key=repr)


def _facts(chain: Chain) -> Facts:
    last = chain.last
    facts = [("skalEksporteresTilLms", "true"), ("terminnummer", str(last.key.terminnummer))]
    if last.siste_termin:
        facts.append(("sisteTermin", last.siste_termin.sis_id))
    if last.undervisningen_folger:
        facts.append(("undervisningenFolger", last.undervisningen_folger))
    return tuple(facts)

"""Where a row of FS stands in Canvas: the sections, courses and accounts in which its people are enrolled.

The structure's own decisions say it, so that people can never be put where the structure did not put the row.
Source: issue 3 §3.2 (Enrollments, Admins); FS reference §8.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rosterflow.domain.decisions import Decision
from rosterflow.domain.model import CanvasObject, Course, Key, Kind, Origin, Section, SourceKind, Term
from rosterflow.domain.rosters import Place
from rosterflow.domain.snapshot import Snapshot

_KINDS: dict[SourceKind, tuple[Kind, ...]] = {
    SourceKind.ORGANISASJONSENHET: (Kind.ACCOUNT,),
    SourceKind.EMNE: (Kind.ACCOUNT,),
    SourceKind.UNDERVISNINGSENHET: (Kind.SECTION,),
    SourceKind.UNDERVISNINGSAKTIVITET: (Kind.SECTION,),
    SourceKind.STUDIEPROGRAM: (Kind.ACCOUNT, Kind.COURSE),
    SourceKind.KULL: (Kind.COURSE,),
    SourceKind.KLASSE: (Kind.SECTION, Kind.COURSE),
    SourceKind.EVU_KURS: (Kind.COURSE,),
}
"""In which kinds of object the people of a row of the structure can be."""

_UE = re.compile(r".+ .+ \d{4} \S+ \d+?(?= )")
"""The undervisningsenhet in the natural key of an activity of it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one row stands.

    :param rooms: the sections, or courses where the course's own section is meant, in which people are enrolled.
    :param account: the account that people administer.
    :param rule: the structure's rule on the row, for those who ask why there is no room.
    """

    rooms: tuple[Place, ...] = ()
    account: Place | None = None
    rule: str = "row-not-read"


class Places:
    """Where the rows of a structure stand, by kind and natural key in FS's words.

    :param home: SIS id of the institution's own account, which is no object of the snapshot.
    """

    def __init__(self, structure: Snapshot, home: str) -> None:
        self._there = structure.objects
        self._home = home
        self._stands = {(one.source, one.subject): self._stand(one) for one in structure.decisions}
        self._teaching: dict[str, dict[Place, None]] = {}
        self._activities: dict[str, list[Place]] = {}
        for (source, subject), stand in self._stands.items():
            if source is SourceKind.UNDERVISNINGSENHET and stand.rooms:
                emne = subject.rsplit(" ", 3)[0]
                self._teaching.setdefault(emne, {}).update(dict.fromkeys(stand.rooms))
            elif source is SourceKind.UNDERVISNINGSAKTIVITET and stand.rooms:
                ue = _UE.match(subject)
                self._activities.setdefault(ue[0] if ue else "", []).extend(stand.rooms)

    def of(self, source: SourceKind, subject: str) -> Stand:
        """Where a row stands; one that the structure's read did not meet stands nowhere."""
        return self._stands.get((source, subject), _NOWHERE)

    def teaching(self, emne: str) -> tuple[Place, ...]:
        """The sections of an emne's undervisningsenheter in the run's terms.

        :param emne: kode and versjonskode (``INF-1100 1``).
        """
        return tuple(self._teaching.get(emne, ()))

    def activities(self, ue: str) -> Sequence[Place]:
        """The sections of an undervisningsenhet's activities.

        :param ue: its natural key (``INF-1100 1 2026 HØST 1``).
        """
        return self._activities.get(ue, ())

    def origin(self, place: Place) -> Origin | None:
        """The row of the source that a place stands for; ``None`` when the snapshot has no such object."""
        thing = self._there.get(place.key)
        return thing.origin if thing else None

    def _stand(self, decision: Decision) -> Stand:
        if decision.key is None:
            return Stand(rule=decision.rule)
        found = tuple(self._present(decision.key.sis_id, _KINDS.get(decision.source, ())))
        rooms = tuple(place for place in found if place.kind is not Kind.ACCOUNT)
        account = next((place for place in found if place.kind is Kind.ACCOUNT), None)
        return Stand(rooms, account, decision.rule) if decision.allowed else Stand(rule=decision.rule)

    def _present(self, sis_id: str, kinds: Iterable[Kind]) -> Iterable[Place]:
        for kind in kinds:
            if Key(kind, sis_id) in self._there or (kind is Kind.ACCOUNT and sis_id == self._home):
                yield Place(kind, sis_id)


_NOWHERE = Stand()


def shut_places(things: Mapping[Key, CanvasObject], moment: datetime) -> frozenset[Place]:
    """The courses, with their sections, whose dates were over at a moment: their own, or else those of their term.

    A course with dates of its own does not ask for its term's (Canvas contract §11).
    """
    shut = {key for key, thing in things.items() if isinstance(thing, Course) and _is_shut(thing, things, moment)}
    sections = {
        key
        for key, thing in things.items()
        if isinstance(thing, Section) and shut and Key(Kind.COURSE, thing.course) in shut
    }
    return frozenset(Place(*key) for key in shut | sections)


def _is_shut(course: Course, things: Mapping[Key, CanvasObject], moment: datetime) -> bool:
    term = things.get(Key(Kind.TERM, course.term)) if course.term else None
    ruling = course if course.start or course.end or not isinstance(term, Term) else term
    return ruling.end is not None and ruling.end < moment

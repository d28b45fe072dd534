"""Those who follow teaching: students by right, by party, by kull and klasse, and participants of further education.

Source: issue 3 §3.2 (Enrollments); FS reference §4.9, §8.1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rosterflow.domain.fs.people import (
    EmneRett,
    EvuDeltaker,
    KlasseMedlem,
    KullKey,
    Place,
    ProgramKey,
    ProgramRett,
    UaKey,
    UnknownPerson,
    kind_of,
    subject_of,
)
from rosterflow.domain.fs.rows import UeKey
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people_admission import Admission, Gate
from rosterflow.domain.mapping.people_rosters import Gathering, Target
from rosterflow.domain.model import SourceKind
from rosterflow.domain.rosters import Reason
from rosterflow.domain.windows import Semester, term_in_force

Registered = Mapping[Semester, Collection[str]]
"""Who is registered for a term, by personlopenummer."""


@dataclass(slots=True)
class _Teaching:
    """Where those go who follow the teaching of one undervisningsenhet.

    :param own: its own section.
    :param everywhere: the sections of all its activities.
    :param parties: those of activities that somebody was placed on, by their kode.
    """

    own: tuple[Target]
    everywhere: tuple[Target]
    parties: dict[str, Target] = field(default_factory=dict)


class Students:
    """Puts those who follow teaching into rosters.

    :param terms: the terms of the scope; rights in others are left alone.
    :param registered: who is registered for which term, where the institution asks for it.
    """

    def __init__(
        self,
        institution: Institution,
        gathering: Gathering,
        admission: Admission,
        terms: Collection[Semester],
        registered: Registered,
        today: date,
    ) -> None:
        self._role = institution.people.student_role
        self._gathering = gathering
        self._admission = admission
        self._ids = admission.ids
        self._terms = terms
        self._is_gated = institution.people.requires_semester_registration
        self._registered = registered
        self._now = term_in_force(today, institution.terms)
        self._teaching: dict[UeKey, _Teaching | None] = {}
        self._targets: dict[tuple[SourceKind, SourceKind, Place], Target] = {}
        self._ways: dict[tuple[SourceKind, Place, Place | None], tuple[Target, ...]] = {}

    # ----------------------------------------------------------------- undervisning
    def right(self, row: EmneRett) -> None:
        """A student with a right to follow the teaching of an undervisningsenhet, and the parties they are on."""
        try:
            teaching = self._teaching[row.ue]
        except KeyError:
            teaching = self._teaching[row.ue] = self._teaching_of(row.ue)
        if teaching is None:
            return
        parties = self._parties(teaching, row)
        user = self._ids.get(row.person)
        if user is None or row.kan_overfores is False or self._is_gated:
            targets = (*teaching.own, *parties)
            user = self._admission.of(row, targets, self._gate(row.person, row.ue.semester))
            if user is None:
                return
        admit = self._gathering.admit
        admit(row.source, "student-right", teaching.own, row.person, user)
        if row.partier is not None:
            admit(row.source, "student-party", parties, row.person, user)
        else:
            for group in teaching.everywhere[0].groups:
                group.unsettled.add(user)

    def _teaching_of(self, ue: UeKey) -> _Teaching | None:
        """Where an undervisningsenhet's students go; ``None`` when the run does not cover its term."""
        if ue.semester not in self._terms:
            return None
        rooms = self._gathering.places.activities(str(ue))
        everywhere = Target(str(ue), tuple(self._gathering.group(room, self._role) for room in rooms))
        return _Teaching((self._target(SourceKind.EMNESTUDIERETT, ue),), (everywhere,))

    def _parties(self, teaching: _Teaching, row: EmneRett) -> Sequence[Target]:
        """Where the activities lead on which a student was placed; all of them when FS does not say which."""
        if row.partier is None:
            return teaching.everywhere
        known = teaching.parties
        for kode in row.partier:
            if kode not in known:
                known[kode] = self._target(row.source, UaKey(row.ue, kode))
        return [known[kode] for kode in row.partier]

    # ----------------------------------------------------------------- programmes, further education
    def programme(self, row: ProgramRett) -> None:
        """A student of a programme: in its course when it has one, and in the course of their kull."""
        gate = self._gate(row.person, self._now)
        if row.gir_aktiv_studierett is False:
            gate = Gate("right-not-active", Reason.GONE, (("studentstatus", row.studentstatus or "null"),))
        self._enter(row, self._way(row.source, ProgramKey(row.program), row.kull), gate, "student-programme")

    def klasse(self, row: KlasseMedlem) -> None:
        """A member of a klasse."""
        gate = self._gate(row.person, self._now)
        self._enter(row, self._way(row.source, row.klasse), gate, "student-klasse")

    def evu(self, row: EvuDeltaker) -> None:
        """A participant of further education, for whom there is no registration by term."""
        self._enter(row, self._way(row.source, row.kurs), None, "evu-participant")

    def _enter(
        self, row: ProgramRett | KlasseMedlem | EvuDeltaker, targets: Sequence[Target], gate: Gate | None, rule: str
    ) -> None:
        user = self._ids.get(row.person)
        if user is None or row.kan_overfores is False or gate:
            user = self._admission.of(row, targets, gate)
        if user is not None:
            self._gathering.admit(row.source, rule, targets, row.person, user)

    def unknown(self, row: UnknownPerson) -> None:
        """Somebody whom FS does not name follows the teaching at a place, and perhaps at places that come with it."""
        places, at = self._gathering.places, subject_of(row.place)
        rooms = [*places.of(row.on, at).rooms]
        if isinstance(row.place, UeKey):
            rooms += places.activities(at)
        elif isinstance(row.place, KullKey):
            rooms += places.of(SourceKind.STUDIEPROGRAM, row.place.program).rooms
        for room in rooms:
            self._gathering.somebody_at(room, self._role)

    # ----------------------------------------------------------------- what all share
    def _way(self, kind: SourceKind, place: Place, besides: Place | None = None) -> Sequence[Target]:
        """Where all rows of a kind lead that name the same places."""
        way = self._ways.get((kind, place, besides))
        if way is None:
            places = (place,) if besides is None else (place, besides)
            way = self._ways[kind, place, besides] = tuple(self._target(kind, one) for one in places)
        return way

    def _target(self, kind: SourceKind, place: Place) -> Target:
        on = kind_of(place)
        target = self._targets.get((kind, on, place))
        if target is None:
            at = subject_of(place)
            stand = self._gathering.places.of(on, at)
            if stand.account and not stand.rooms:  # a programme without a course, which nobody follows there
                target = Target(at)
            else:
                target = self._gathering.target(kind, at, stand.rooms, self._role, stand.rule)
            self._targets[kind, on, place] = target
        return target

    def _gate(self, person: str, semester: Semester) -> Gate | None:
        if not self._is_gated or person in self._registered.get(semester, ()):
            return None
        return Gate("not-registered", Reason.NOT_REGISTERED, (("termin", semester.sis_id),))

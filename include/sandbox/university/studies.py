"""What the students do: programmes, klasser, emner with their groups, and further education."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import accumulate, cycle
from typing import TYPE_CHECKING

from sandbox.university.model import Periode
from sandbox.university.people import (
    EmneStudierett,
    EvuKursdeltakelse,
    Klassemedlemskap,
    ProgramStudierett,
    Undervisningspartiplassering,
)
from sandbox.university.vocabulary import AKTIV, FULLFORT, PERMISJON

if TYPE_CHECKING:
    import random

    from sandbox.university.model import Klasse, Kull, Undervisningsaktivitet, Undervisningsenhet, University
    from sandbox.university.people import Deltaker, Student, Studentstatus

TERMS = ((-1, 0.3), (0, 1.0), (1, 0.5))
"""Terms from the current one, and how much of a term's load the students have taken up in it."""

PLACED = 0.9
LECTURE = "FOR"


def build(university: University, per_term: float, per_course: int, rng: random.Random) -> None:
    """Add the participations of the persons of a university.

    :param per_term: emner that a student follows in a term, on average
    :param per_course: participants of an EVU course
    """
    students = [person.student for person in university.personer if person.student]
    _programmes(university, students, rng)
    for offset, share in TERMS:
        _follow_teaching(university, offset, students, per_term * share, rng)
    _place_in_groups(university, rng)
    _further_education(university, per_course, rng)


def _programmes(university: University, students: list[Student], rng: random.Random) -> None:
    """Every student has a right to a programme, most of them a kull and a klasse there."""
    kull = [kull for program in university.studieprogram for kull in program.kull if kull.er_aktiv]
    for student in students if kull else ():
        chosen = rng.choice(kull)
        status = rng.choices((AKTIV, PERMISJON, FULLFORT), (94, 3, 3))[0]
        begun = date(chosen.semester.arstall, 8, 1)
        over = university.semester.arstall - 1 if status is FULLFORT else chosen.semester.arstall + 5
        right = admit(student, chosen, status, Periode(begun, max(begun, date(over, 7, 31))))
        if chosen.klasser and rng.random() < PLACED:
            klasse: Klasse = rng.choice(chosen.klasser)
            klasse.medlemmer.append(Klassemedlemskap(klasse, right, status is AKTIV))


def admit(student: Student, kull: Kull, status: Studentstatus, periode: Periode, nummer: int = 1) -> ProgramStudierett:
    """Give a student a right, the `nummer`th, to the programme of a kull."""
    right = ProgramStudierett(student, kull.studieprogram, nummer, kull, status, periode)
    kull.studieprogram.studieretter.append(right)
    return right


def _follow_teaching(
    university: University, offset: int, students: list[Student], mean: float, rng: random.Random
) -> None:
    """Let students follow emner in one term; who follows a course of several terms goes on with it."""
    begun: list[Undervisningsenhet] = []
    for emne in university.emner:
        rounds = {(ue.semester, ue.terminnummer): ue for ue in emne.undervisningsenheter}
        for ue in emne.undervisningsenheter:
            if ue.semester != university.semester.step(offset):
                continue
            former = rounds.get((ue.semester.step(-1), ue.terminnummer - 1))
            if former is None or not former.studieretter:
                begun.append(ue)
                continue
            ue.studieretter += [EmneStudierett(right.student, ue) for right in former.studieretter]
    if not begun:
        return
    rng.shuffle(begun)
    popularity = list(accumulate((1 + place) ** -0.6 for place in range(len(begun))))
    for student in students:
        wanted = rng.choices(begun, cum_weights=popularity, k=int(mean + rng.random()))
        for ue in dict.fromkeys(wanted):
            ue.studieretter.append(EmneStudierett(student, ue))


def _place_in_groups(university: University, rng: random.Random) -> None:
    """Spread the students of an undervisningsenhet evenly over the groups that are each other's alternatives."""
    for emne in university.emner:
        for ue in emne.undervisningsenheter:
            if not ue.studieretter:
                continue
            placed: dict[Undervisningsaktivitet, list[EmneStudierett]] = defaultdict(list)
            for groups in _alternatives(ue):
                above = groups[0].parent
                rights = placed[above] if above is not None and above.partinummer else ue.studieretter
                for right, group in zip(rights, cycle(groups), strict=False):
                    if rng.random() < PLACED:
                        place(right, group)
                        placed[group].append(right)


def _alternatives(ue: Undervisningsenhet) -> list[list[Undervisningsaktivitet]]:
    """The groups, those below one activity together, in an order that has a group before those below it.

    An activity that has no groups is one itself, unless it is a lecture.
    """
    divided = {activity.parent for activity in ue.aktiviteter}
    together: dict[object, list[Undervisningsaktivitet]] = defaultdict(list)
    for activity in ue.aktiviteter:
        if activity.parent is not None:
            together[activity.parent].append(activity)
        elif activity not in divided and activity.form != LECTURE:
            together[activity.form].append(activity)
    return list(together.values())


def place(right: EmneStudierett, group: Undervisningsaktivitet) -> None:
    """Place the student who has a right in a group of its undervisningsenhet."""
    placement = Undervisningspartiplassering(right.student, group)
    right.plasseringer += (placement,)
    group.plasseringer.append(placement)


def displace(right: EmneStudierett, placement: Undervisningspartiplassering) -> None:
    """Take the student who has a right out of a group."""
    right.plasseringer = tuple(each for each in right.plasseringer if each is not placement)
    placement.aktivitet.plasseringer.remove(placement)


def _further_education(university: University, per_course: int, rng: random.Random) -> None:
    participants: list[Deltaker] = [person.deltaker for person in university.personer if person.deltaker]
    for kurs in university.evukurs:
        admitted = rng.sample(participants, min(per_course, len(participants)))
        kurs.deltakelser += [EvuKursdeltakelse(kurs, participant) for participant in admitted]

"""What may happen to a university's people on a day of change, after what happened to its structure.

People are told by personlopenummer, never by name or login. The same university and day give the same changes; a step
that finds nobody to happen to is left out. Source: issue 3, section 3.5.1.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sandbox.university.model import Periode
from sandbox.university.people import EmneStudierett, Klassemedlemskap
from sandbox.university.population import FIRST_AWKWARD, FIRST_NEWCOMER, enroll, named, registrations
from sandbox.university.studies import admit, displace, place
from sandbox.university.vocabulary import AKTIV, DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.university.model import (
        Kull,
        Organisasjonsenhet,
        Undervisningsaktivitet,
        Undervisningsenhet,
        University,
    )
    from sandbox.university.people import Person, Personrolle, Undervisningspartiplassering

Choice = TypeVar("Choice")

NEW_RIGHTS = 3


def steps(university: University) -> tuple[Callable[[], str | None], ...]:
    """Return the changes of a university's next day in the order they happen; each does one and tells it.

    To be asked for before the changes of structure, and to be done after them.
    """
    day = _Day(university)
    return (
        day.drop_an_emne,
        day.move_a_student,
        day.end_a_role,
        day.reserve_a_person,
        day.change_a_login,
        day.swap_two_logins,
        day.admit_a_student,
    )


class _Day:
    """One day's changes. No person is picked by two of them."""

    def __init__(self, university: University) -> None:
        self._university = university
        self._rng = random.Random(f"{university.seed}/{university.semester}/people of day {university.days}")
        self._number = university.days + 1
        self._picked: set[Person] = set()
        self._before = set(_teaching(university))

    @cached_property
    def _teaching(self) -> list[Undervisningsenhet]:
        """What could be in the LMS before the day's changes of structure and still can."""
        return [ue for ue in _teaching(self._university) if ue in self._before]

    def _pick(
        self, choices: Callable[[Undervisningsenhet], Iterable[Choice]], person_of: Callable[[Choice], Person]
    ) -> Choice | None:
        """Pick among the choices of one undervisningsenhet, which is drawn first: all of them together are millions."""
        for ue in self._rng.sample(self._teaching, len(self._teaching)):
            free = [choice for choice in choices(ue) if person_of(choice) not in self._picked]
            if free:
                choice = self._rng.choice(free)
                self._picked.add(person_of(choice))
                return choice
        return None

    def drop_an_emne(self) -> str | None:
        """A student gives up an emne, and the groups of it."""
        right = self._pick(_rights, _student)
        if right is None:
            return None
        for placement in right.plasseringer:
            displace(right, placement)
        right.enhet.studieretter.remove(right)
        return f"Person {right.student.person.lopenummer} dropped {_course(right.enhet)}."

    def move_a_student(self) -> str | None:
        """A student goes from one group to another beside it."""
        move = self._pick(_moves, lambda move: move[0].student.person)
        if move is None:
            return None
        right, placement, group = move
        displace(right, placement)
        place(right, group)
        groups = f"{placement.aktivitet.kode} to {group.kode}"
        return f"Person {right.student.person.lopenummer} moved from {groups} of {_course(right.enhet)}."

    def end_a_role(self) -> str | None:
        """A teacher's role on an undervisningsenhet ended with last month."""
        over = self._university.today.replace(day=1) - timedelta(days=1)
        role = self._pick(lambda ue: _taught_on(ue, over), lambda role: role.fagperson.person)
        if role is None:
            return None
        role.periode = Periode(role.periode.fra, over)
        person = role.fagperson.person.lopenummer
        return f"The role {role.rolle.kode} of person {person} on {_course(role.sted)} ended on {role.periode.til}."

    def reserve_a_person(self) -> str | None:
        """A student is reserved from the LMS."""
        person = self._pick(_students, _itself)
        if person is None:
            return None
        person.kan_overfores = False
        return f"Person {person.lopenummer} is now reserved from the LMS."

    def change_a_login(self) -> str | None:
        """A student gets another login."""
        person = self._pick(_students, _itself)
        if person is None:
            return None
        _log_in_as(person, f"ny{self._number}.{person.lopenummer}@{DOMAIN}")
        return f"Person {person.lopenummer} has another feideBruker."

    def swap_two_logins(self) -> str | None:
        """Two students get each other's logins."""
        first, second = self._pick(_students, _itself), self._pick(_students, _itself)
        if first is None or second is None:
            return None
        former = first.feide_bruker
        _log_in_as(first, second.feide_bruker)
        _log_in_as(second, former)
        return f"Persons {first.lopenummer} and {second.lopenummer} swapped feideBruker."

    def admit_a_student(self) -> str | None:
        """A new student begins on a programme and follows a few emner."""
        kull = self._kull()
        if not self._teaching or not kull:
            return None
        person = named(FIRST_NEWCOMER + self._university.days, f"stud.{DOMAIN}", self._rng)
        self._university.personer.append(person)
        self._picked.add(person)
        student = enroll(person, registrations(self._university.semester)[1:])
        chosen = self._rng.choice(kull)
        right = admit(student, chosen, AKTIV, Periode(date(self._university.semester.arstall, 8, 1), None))
        for klasse in chosen.klasser[:1]:
            klasse.medlemmer.append(Klassemedlemskap(klasse, right))
        followed = self._rng.sample(self._teaching, min(NEW_RIGHTS, len(self._teaching)))
        for ue in followed:
            ue.studieretter.append(EmneStudierett(student, ue))
        courses = ", ".join(_course(ue) for ue in followed)
        return f"Person {person.lopenummer} is a new student of {chosen.studieprogram.kode} and follows {courses}."

    def _kull(self) -> list[Kull]:
        return [
            kull
            for program in self._university.studieprogram
            if program.er_aktiv and program.skal_eksporteres
            for kull in program.kull
            if kull.er_aktiv and kull.skal_eksporteres and kull.tjenestenummer == "1"
        ]


def _teaching(university: University) -> list[Undervisningsenhet]:
    """Exported teaching of the current term in the first LMS: of open units, of one term, that follows no other, and
    where FS shows everybody.
    """
    return [
        ue
        for emne in university.emner
        if emne.tjenestenummer == "1" and _is_open(emne.studieansvarlig)
        for ue in emne.undervisningsenheter
        if ue.skal_eksporteres
        and ue.semester == university.semester
        and ue.terminnummer == 1
        and ue.siste_termin is None
        and ue.folger is None
        and not any(right.student.person.er_skjult for right in ue.studieretter)
        and not any(role.fagperson.person.er_skjult for role in ue.personroller)
    ]


def _rights(ue: Undervisningsenhet) -> Iterator[EmneStudierett]:
    return (right for right in ue.studieretter if _is_ordinary(right.student.person))


def _students(ue: Undervisningsenhet) -> Iterator[Person]:
    return map(_student, _rights(ue))


def _moves(
    ue: Undervisningsenhet,
) -> Iterator[tuple[EmneStudierett, Undervisningspartiplassering, Undervisningsaktivitet]]:
    """Each student's right, place in a group, and a group beside it; the groups have rooms in the LMS."""
    for right in _rights(ue):
        taken = {placement.aktivitet for placement in right.plasseringer}
        for placement in right.plasseringer:
            former = placement.aktivitet
            for group in ue.aktiviteter:
                beside = group.parent is former.parent and group.form == former.form and group not in taken
                if beside and _has_a_room(former) and _has_a_room(group):
                    yield right, placement, group


def _taught_on(ue: Undervisningsenhet, day: date) -> Iterator[Personrolle]:
    """The roles of those who taught on a day and go on."""
    return (
        role
        for role in ue.personroller
        if role.rolle.ims_rolle == "INSTRUCTOR"
        and _is_ordinary(role.fagperson.person)
        and (role.periode.fra is None or role.periode.fra <= day)
        and (role.periode.til is None or role.periode.til > day)
    )


def _is_ordinary(person: Person) -> bool:
    """Whether a person may be in the LMS now and is none of the awkward."""
    is_awkward = FIRST_AWKWARD <= person.lopenummer < FIRST_NEWCOMER
    return person.kan_overfores and not person.er_dod and not is_awkward


def _is_open(unit: Organisasjonsenhet | None) -> bool:
    return unit is not None and unit.er_aktiv and unit.skal_eksporteres


def _has_a_room(group: Undervisningsaktivitet) -> bool:
    return group.skal_eksporteres and group.lms_romkode in (None, "eget-rom", "ikke-rom")


def _student(right: EmneStudierett) -> Person:
    return right.student.person


def _itself(person: Person) -> Person:
    return person


def _log_in_as(person: Person, login: str | None) -> None:
    """Give a person a login, for each of the identities that had the person's own."""
    for identity in (person.student, person.fagperson):
        if identity is not None and identity.feide_bruker == person.feide_bruker:
            identity.feide_bruker = login
    person.feide_bruker = login


def _course(ue: Undervisningsenhet) -> str:
    term = f"{ue.semester.arstall} {ue.semester.kode.value}"
    return f"{ue.emne.kode} version {ue.emne.versjonskode} in {term}"

"""The awkward people that real institutions have, the same in every university (FS reference, 13.9).

Each function adds one family and says in its first line what is awkward about it. They stand on the awkward emner, so
that nothing generated changes with them.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sandbox.university.model import Periode
from sandbox.university.people import (
    Deltaker,
    EmneStudierett,
    EvuKursdeltakelse,
    Fagperson,
    Klassemedlemskap,
    Person,
    Student,
    give_role,
)
from sandbox.university.population import FIRST_AWKWARD, employ, enroll, named, registrations
from sandbox.university.studies import admit, place
from sandbox.university.vocabulary import AKTIV, ASSISTENT, DOMAIN, FULLFORT, HOVEDLARER, LARER, TOLK

if TYPE_CHECKING:
    from sandbox.university.model import Undervisningsaktivitet, Undervisningsenhet, University

ALWAYS = Periode(None, None)


def add(university: University) -> None:
    """Add every awkward person to a university that has its awkward emner."""
    awkward = _Awkward(university)
    awkward.logins()
    awkward.unreachable()
    awkward.hidden()
    awkward.two_identities()
    awkward.periods()
    awkward.roles()
    awkward.rows_past_a_nested_page()
    awkward.names()
    awkward.klasser_and_programmes()
    awkward.further_education()


class _Awkward:
    """The families; people are numbered in the order they are added."""

    def __init__(self, university: University) -> None:
        self._university = university
        self._rng = random.Random("awkward people")
        self._next = FIRST_AWKWARD

    def _person(self) -> Person:
        person = named(self._next, DOMAIN, self._rng)
        self._next += 1
        self._university.personer.append(person)
        return person

    def _student(self, *codes: str) -> Student:
        """A registered student with rights to the teaching of emner in the current term."""
        student = enroll(self._person(), registrations(self._university.semester))
        for code in codes:
            ue = self._teaching(code)
            ue.studieretter.append(EmneStudierett(student, ue))
        return student

    def _staff(self, *, active: bool = True) -> Fagperson:
        return employ(self._person(), active=active)

    def _teaching(self, code: str) -> Undervisningsenhet:
        return next(
            ue
            for emne in self._university.emner
            if emne.kode == code
            for ue in emne.undervisningsenheter
            if ue.semester == self._university.semester
        )

    def _days(self, first: int | None, last: int | None) -> Periode:
        """A period by the days it begins and ends from FS's day."""
        today = self._university.today
        return Periode(*(None if days is None else today + timedelta(days=days) for days in (first, last)))

    def logins(self) -> None:
        """No login; one login on two persons; capital letters in a login."""
        nobody = self._student("TRE300")
        nobody.person.feide_bruker = nobody.feide_bruker = None
        place(self._teaching("TRE300").studieretter[-1], self._group("TRE300", "SEM-1"))
        first, second = self._student("TRE300"), self._student("ROM100")
        second.person.feide_bruker = second.feide_bruker = first.feide_bruker
        capital = self._student("TRE300")
        capital.person.feide_bruker = capital.feide_bruker = f"NyKo{capital.person.lopenummer}@Rosterflow.Example"

    def _group(self, code: str, activity: str) -> Undervisningsaktivitet:
        return next(ua for ua in self._teaching(code).aktiviteter if ua.kode == activity)

    def unreachable(self) -> None:
        """A student and a teacher reserved from the LMS; a student who died."""
        self._student("TRE300").person.kan_overfores = False
        teacher = self._staff()
        teacher.person.kan_overfores = False
        give_role(self._teaching("TRE300"), LARER, ALWAYS, teacher)
        self._student("TRE300").person.er_dod = True

    def hidden(self) -> None:
        """A student and a teacher whom FS does not show to us: their rows are there, who they are is null."""
        self._student("ROM100").person.er_skjult = True
        teacher = self._staff()
        teacher.person.er_skjult = True
        give_role(self._teaching("VERS100"), LARER, ALWAYS, teacher)

    def two_identities(self) -> None:
        """Staff who study too, with another login as a student, and assist in the very teaching they follow."""
        student = self._student("GRUPPE100", "TRE300")
        student.feide_bruker = f"s{student.person.lopenummer}@stud.{DOMAIN}"
        give_role(self._teaching("GRUPPE100"), ASSISTENT, ALWAYS, employ(student.person))

    def periods(self) -> None:
        """Roles that have not begun, that are over, that end with this day and that have no ends."""
        teacher = self._staff()
        for code, first, last in (("TRE300", 30, None), ("ROM100", -200, -1), ("VERS100", -200, 0), ("DATA_101", 0, 0)):
            give_role(self._teaching(code), LARER, self._days(first, last), teacher)
        give_role(self._teaching("GRUPPE100"), LARER, ALWAYS, teacher)

    def roles(self) -> None:
        """A role that maps to nothing; one person with several roles on one UE, one role twice; an inactive teacher."""
        give_role(self._teaching("TRE300"), TOLK, ALWAYS, self._staff())
        busy = self._staff()
        for role, periode in ((HOVEDLARER, ALWAYS), (LARER, ALWAYS), (LARER, self._days(-10, 90)), (ASSISTENT, ALWAYS)):
            give_role(self._teaching("ROM100"), role, periode, busy)
        give_role(self._teaching("ROM100"), LARER, ALWAYS, self._staff(active=False))

    def rows_past_a_nested_page(self) -> None:
        """More roles on one undervisningsenhet, and more rights of one student, than a nested page holds by default."""
        for _ in range(11):
            give_role(self._teaching("GRUPPE100"), ASSISTENT, ALWAYS, self._staff())
        codes = ("VERS100", "TRE300", "ROM100", "GRUPPE100", "DATA_101", "ÅPN100", "0-5", "MUS/UTØ 2", "LMS TESTEMNE")
        self._student(*codes, "NAVN-NN", "NAVN-EN", "SKJULT100")

    def names(self) -> None:
        """No given name and no address; names with a quote, a comma and a sign that spreadsheets calculate with."""
        short = self._student("TRE300").person
        short.fornavn = short.epost = None
        odd = self._student("TRE300").person
        odd.fornavn, odd.etternavn = '-Ørjulv "Ørn"', "Nykkslia, d'Uvsen"

    def klasser_and_programmes(self) -> None:
        """One person twice in a klasse; a right to a programme to come, and one that is over with its klasse not."""
        program = next(row for row in self._university.studieprogram if row.kode == "BA-TVILLING")
        kull = program.kull[0]
        year = self._university.semester.arstall
        now = Periode(date(year, 8, 1), date(year + 3, 7, 31))
        twice = self._student()
        for nummer in (1, 2):
            right = admit(twice, kull, AKTIV, now, nummer)
            kull.klasser[0].medlemmer.append(Klassemedlemskap(kull.klasser[0], right))
        admit(self._student(), kull, AKTIV, Periode(date(year + 1, 8, 1), None))
        over = admit(self._student(), kull, FULLFORT, Periode(date(year - 3, 8, 1), date(year, 7, 31)))
        kull.klasser[2].medlemmer.append(Klassemedlemskap(kull.klasser[2], over))

    def further_education(self) -> None:
        """A student who takes an EVU course that has no unit, too."""
        student = self._student("TRE300")
        student.person.deltaker = Deltaker(student.person, student.person.lopenummer)
        kurs = next(kurs for kurs in self._university.evukurs if kurs.kode == "EVU/FELLES")
        kurs.deltakelser.append(EvuKursdeltakelse(kurs, student.person.deltaker))

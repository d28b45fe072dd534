"""The persons of the university: students, staff and participants of further education, each with an invented name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.university.people import Deltaker, Fagperson, Person, Semesterregistrering, Student
from sandbox.university.vocabulary import DOMAIN, FAMILY_NAMES, GIVEN_NAMES

if TYPE_CHECKING:
    import random

    from sandbox.university.model import Semester, University

FIRST_STUDENT = 100_001
FIRST_STAFF = 800_001
FIRST_PARTICIPANT = 850_001
FIRST_AWKWARD = 900_001
FIRST_NEWCOMER = 990_001
"""Where the personlopenummer of each kind begin."""

UNREGISTERED = 0.04
INACTIVE_STAFF = 0.03


def build(university: University, students: int, staff: int, participants: int, rng: random.Random) -> None:
    """Add the persons to a university: those who study, those who teach and administer, those who take EVU courses."""
    for number in range(students):
        person = named(FIRST_STUDENT + number, f"stud.{DOMAIN}", rng)
        registered = rng.random() >= UNREGISTERED
        enroll(person, registrations(university.semester) if registered else ())
        university.personer.append(person)
    for number in range(staff):
        person = named(FIRST_STAFF + number, DOMAIN, rng)
        employ(person, active=rng.random() >= INACTIVE_STAFF)
        university.personer.append(person)
    for number in range(participants):
        person = named(FIRST_PARTICIPANT + number, f"evu.{DOMAIN}", rng)
        person.deltaker = Deltaker(person, person.lopenummer - FIRST_PARTICIPANT + 1)
        university.personer.append(person)


def named(lopenummer: int, domain: str, rng: random.Random) -> Person:
    """Return a person with a name drawn from the lists and a login and an address made of it, which are unique."""
    given, family = rng.choice(GIVEN_NAMES), rng.choice(FAMILY_NAMES)
    login = f"{given[:2]}{family[:2]}{lopenummer}".lower().translate(_PLAIN)
    address = f"{given}.{family}.{lopenummer % 1000}@{domain}".lower().translate(_PLAIN)
    return Person(lopenummer, given, family, f"{login}@{DOMAIN}", address)


_PLAIN = str.maketrans({"æ": "e", "ø": "o", "å": "a"})


def enroll(person: Person, semesterregistreringer: tuple[Semesterregistrering, ...]) -> Student:
    """Make a person a student, by the person's own login."""
    person.student = Student(person, person.feide_bruker, semesterregistreringer)
    return person.student


def employ(person: Person, *, active: bool = True) -> Fagperson:
    """Make a person one of the staff, by the person's own login."""
    person.fagperson = Fagperson(person, person.feide_bruker, active)
    return person.fagperson


def registrations(semester: Semester) -> tuple[Semesterregistrering, ...]:
    """Return the registrations of a student who is registered for the last and the current term."""
    return Semesterregistrering(semester.step(-1)), Semesterregistrering(semester)

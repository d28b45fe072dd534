"""People as FS knows them: who they are, what they study, what they teach, which roles they hold.

A person is a row of the university; participations and roles lie below what they are about (an undervisningsenhet holds
the rights to follow it), so that they go when it goes. Rows are plain objects because a day of change edits them in
place. Sources: FS reference, sections 4.7 to 4.9 (members) and 13.9 (awkward people).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from sandbox.university.model import (
        EvuKurs,
        Klasse,
        Kull,
        Navn,
        Periode,
        Semester,
        Studieprogram,
        Undervisningsaktivitet,
        Undervisningsenhet,
    )


class AktivStatus(Enum):
    """Where a day lies to a period (PersonrolleAktivStatus, ProgramStudierettAktivStatus)."""

    AKTIV = "AKTIV"
    AVSLUTTET = "AVSLUTTET"
    FREMTIDIG = "FREMTIDIG"

    @classmethod
    def of(cls, periode: Periode, day: date) -> AktivStatus:
        """Return the status of a period on a day; an open end has not come."""
        if periode.fra is not None and day < periode.fra:
            return cls.FREMTIDIG
        if periode.til is not None and periode.til < day:
            return cls.AVSLUTTET
        return cls.AKTIV


@dataclass(slots=True, eq=False)
class Person:
    """A person (PersonProfil). `feide_bruker` is `user@domain`; `kan_overfores` is false of who is reserved from the
    LMS; `er_skjult` says that FS shows this person to no API user, wherever the person is met.
    """

    lopenummer: int
    fornavn: str | None
    etternavn: str
    feide_bruker: str | None
    epost: str | None
    er_dod: bool = False
    kan_overfores: bool = True
    er_skjult: bool = False
    student: Student | None = None
    fagperson: Fagperson | None = None
    deltaker: Deltaker | None = None


@dataclass(frozen=True, slots=True)
class Semesterregistrering:
    """That a student registered for a term, and paid its fee."""

    semester: Semester
    er_registrert: bool = True
    har_betalt: bool = True
    er_ugyldiggjort: bool = False


@dataclass(slots=True, eq=False)
class Student:
    """A person as a student; who is staff too may have another login as a student."""

    person: Person
    feide_bruker: str | None
    semesterregistreringer: tuple[Semesterregistrering, ...] = ()


@dataclass(slots=True, eq=False)
class Fagperson:
    """A person as one who teaches or administers."""

    person: Person
    feide_bruker: str | None
    er_aktiv: bool = True


@dataclass(slots=True, eq=False)
class Deltaker:
    """A person as one who takes part in further education."""

    person: Person
    nummer: int


@dataclass(slots=True, eq=False)
class EmneStudierett:
    """A student's right to follow an undervisningsenhet, with the groups the student is placed in."""

    student: Student
    enhet: Undervisningsenhet
    plasseringer: tuple[Undervisningspartiplassering, ...] = ()


@dataclass(slots=True, eq=False)
class Undervisningspartiplassering:
    """A student's place in a group (undervisningsaktivitet)."""

    student: Student
    aktivitet: Undervisningsaktivitet


@dataclass(frozen=True, slots=True)
class Studentstatus:
    """How a student stands on a programme, from FS's list."""

    kode: str
    gir_aktiv_studierett: bool
    navn: Navn


@dataclass(slots=True, eq=False)
class ProgramStudierett:
    """A student's right to a programme for a period; `nummer` tells a student's rights to one programme apart."""

    student: Student
    program: Studieprogram
    nummer: int
    kull: Kull | None
    status: Studentstatus
    periode: Periode


@dataclass(slots=True, eq=False)
class Klassemedlemskap:
    """A student's place in a klasse, by a right to its programme."""

    klasse: Klasse
    studierett: ProgramStudierett
    er_aktiv: bool = True


@dataclass(slots=True, eq=False)
class EvuKursdeltakelse:
    """That a person was admitted to an EVU course."""

    kurs: EvuKurs
    deltaker: Deltaker


@dataclass(frozen=True, slots=True)
class Rolle:
    """A role of FS's role list (FsRolle), with the name the LMS is told. A local role may have no IMS role."""

    kode: str
    ims_rolle: str | None
    navn: Navn
    lms_navn: str


@dataclass(slots=True, eq=False)
class Personrolle:
    """A role that a person holds for a period at a place: a unit, an emne, an undervisningsenhet or -aktivitet, a
    programme, a kull, a klasse or an EVU course. `nummer` tells a place's roles apart.
    """

    sted: Any
    nummer: int
    rolle: Rolle
    periode: Periode
    fagperson: Fagperson


def give_role(sted: Any, rolle: Rolle, periode: Periode, fagperson: Fagperson) -> Personrolle:
    """Let a person hold a role at a place for a period."""
    roles: list[Personrolle] = sted.personroller
    given = Personrolle(sted, 1 + max((role.nummer for role in roles), default=0), rolle, periode, fagperson)
    roles.append(given)
    return given

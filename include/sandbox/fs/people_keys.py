"""Natural keys of people and of what they do; those of participations and roles begin with what they are about.

The type numbers are the sandbox's own. Source: FS reference, section 4.9 (the old key of an EmneStudierett).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.fs.keys import (
    EMNE,
    EVU_KURS,
    KLASSE,
    KULL,
    ORGANISASJONSENHET,
    STUDIEPROGRAM,
    UNDERVISNINGSAKTIVITET,
    UNDERVISNINGSENHET,
    ChildKey,
    Columns,
    Key,
    below,
)

if TYPE_CHECKING:
    from sandbox.university.people import (
        Deltaker,
        EmneStudierett,
        EvuKursdeltakelse,
        Fagperson,
        Klassemedlemskap,
        Person,
        Personrolle,
        ProgramStudierett,
        Rolle,
        Student,
        Studentstatus,
        Undervisningspartiplassering,
    )


def _person(inst: int, person: Person) -> Columns:
    return inst, person.lopenummer


def _identity(inst: int, row: Student | Fagperson) -> Columns:
    return inst, row.person.lopenummer


def _participant(inst: int, deltaker: Deltaker) -> Columns:
    return inst, deltaker.nummer


def _listed(inst: int, row: Rolle | Studentstatus) -> Columns:
    return inst, row.kode


PERSON = Key(70, (int, int), _person)
STUDENT: Key[Student] = Key(71, (int, int), _identity)
FAGPERSON: Key[Fagperson] = Key(72, (int, int), _identity)
DELTAKER = Key(73, (int, int), _participant)
FS_ROLLE: Key[Rolle] = Key(74, (int, str), _listed)
STUDENTSTATUS: Key[Studentstatus] = Key(75, (int, str), _listed)


def _right(row: EmneStudierett | Undervisningspartiplassering) -> tuple[int, ...]:
    return (row.student.person.lopenummer,)


def _programme_right(row: ProgramStudierett) -> tuple[int, ...]:
    return row.student.person.lopenummer, row.nummer


def _membership(row: Klassemedlemskap) -> tuple[int, ...]:
    return row.studierett.student.person.lopenummer, row.studierett.nummer


def _participation(row: EvuKursdeltakelse) -> tuple[int, ...]:
    return (row.deltaker.nummer,)


EMNE_STUDIERETT: ChildKey[EmneStudierett] = below(UNDERVISNINGSENHET, 80, lambda row: row.enhet, _right)
PLASSERING: ChildKey[Undervisningspartiplassering] = below(
    UNDERVISNINGSAKTIVITET, 81, lambda row: row.aktivitet, _right
)
PROGRAM_STUDIERETT: ChildKey[ProgramStudierett] = below(STUDIEPROGRAM, 82, lambda row: row.program, _programme_right, 2)
KLASSEMEDLEMSKAP: ChildKey[Klassemedlemskap] = below(KLASSE, 83, lambda row: row.klasse, _membership, 2)
EVU_KURSDELTAKELSE: ChildKey[EvuKursdeltakelse] = below(EVU_KURS, 84, lambda row: row.kurs, _participation)


def _role(place: Key[Any], type_id: int) -> ChildKey[Personrolle]:
    return below(place, type_id, lambda row: row.sted, lambda row: (row.nummer,))


ENHETSROLLE = _role(ORGANISASJONSENHET, 90)
EMNEROLLE = _role(EMNE, 91)
UNDERVISNINGSENHETSROLLE = _role(UNDERVISNINGSENHET, 92)
UNDERVISNINGSAKTIVITETSROLLE = _role(UNDERVISNINGSAKTIVITET, 93)
STUDIEPROGRAMROLLE = _role(STUDIEPROGRAM, 94)
KULLROLLE = _role(KULL, 95)
KLASSEROLLE = _role(KLASSE, 96)
EVU_KURSROLLE = _role(EVU_KURS, 97)

"""Study programmes with kull and klasser, and further education (EVU)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sandbox.university.model import (
    EvuKurs,
    EvuKursaktivitet,
    Klasse,
    Kull,
    Niva,
    Organisasjonsenhet,
    Periode,
    Semester,
    Studieprogram,
    Terminkode,
    University,
)
from sandbox.university.vocabulary import EVU_PATTERN, PROGRAMME_PATTERNS, PROGRAMME_ROLES, SUBJECTS, Subject, fill

if TYPE_CHECKING:
    import random

    from sandbox.university.people import Rolle


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many programmes to make, kull in each, klasser in each of those, and EVU courses."""

    programmes: int
    kull: int
    klasser: int
    evu: int


def build(university: University, amounts: Amounts, rng: random.Random) -> None:
    """Add the programmes and the EVU courses to a university that has its units."""
    owners = [unit for unit in university.enheter if unit.niva in (Niva.FAKULTET, Niva.INSTITUTT)]
    for number in range(amounts.programmes):
        university.studieprogram.append(_programme(university, number, rng.choice(owners), amounts, rng))
    for number in range(amounts.evu):
        university.evukurs.append(_evu(university, number, rng.choice(owners), rng))


def _programme(
    university: University, number: int, owner: Organisasjonsenhet, amounts: Amounts, rng: random.Random
) -> Studieprogram:
    subject = SUBJECTS[number % len(SUBJECTS)]
    level, pattern = PROGRAMME_PATTERNS[number // len(SUBJECTS) % len(PROGRAMME_PATTERNS)]
    round_ = number // (len(SUBJECTS) * len(PROGRAMME_PATTERNS))
    program = Studieprogram(
        kode=f"{level}-{subject.prefix}" + (f"-{round_ + 1}" if round_ else ""),
        navn=fill(pattern, subject),
        studieansvarlig=owner if rng.random() < 0.97 else None,
        skal_eksporteres=rng.random() < 0.95,
        lms_romkode="programrom" if rng.random() < 0.6 else None,
        stillinger=_positions(university, number, rng),
    )
    for back in range(amounts.kull):
        program.kull.append(_kull(program, university.semester.arstall - back, amounts.klasser, rng))
    return program


def _positions(university: University, number: int, rng: random.Random) -> tuple[tuple[Rolle, Periode], ...]:
    """One role that somebody holds, and often the same one held before."""
    year = university.semester.arstall
    role = PROGRAMME_ROLES[number % len(PROGRAMME_ROLES)]
    former = role, Periode(date(year - 4, 8, 1), date(year - 1, 7, 31))
    present = role, Periode(date(year - 1, 8, 1), None)
    return (former, present) if rng.random() < 0.3 else (present,)


def _kull(program: Studieprogram, year: int, klasser: int, rng: random.Random) -> Kull:
    kull = Kull(
        studieprogram=program,
        semester=Semester(year, Terminkode.HOST),
        navn_no=f"{program.navn.nb} – høst {year}",
        navn_en=f"{program.navn.en} – autumn {year}" if rng.random() < 0.7 else None,
        skal_eksporteres=rng.random() < 0.92,
        lms_romkode="kullrom" if rng.random() < 0.5 else None,
        tjenestenummer=rng.choices(("1", "2", None), (94, 5, 1))[0],
    )
    for letter in "ABCDEFGH"[: rng.randint(min(1, klasser), max(klasser, 2 * klasser - 1))]:
        kull.klasser.append(
            Klasse(
                kull,
                letter,
                f"Klasse {letter}",
                er_aktiv=rng.random() < 0.95,
                skal_eksporteres=rng.random() < 0.92,
                lms_romkode="klasserom" if rng.random() < 0.15 else None,
            )
        )
    return kull


def _evu(university: University, number: int, owner: Organisasjonsenhet, rng: random.Random) -> EvuKurs:
    subject: Subject = SUBJECTS[number * 5 % len(SUBJECTS)]
    year = university.semester.arstall + (1 if rng.random() < 0.3 else 0)
    in_spring = rng.random() < 0.4
    first = date(year, 2, 1) if in_spring else date(year, 9, 1)
    return EvuKurs(
        kode=f"EVU-{subject.prefix}{number + 1}",
        tidsangivelse=f"{year} {'vår' if in_spring else 'høst'}",
        navn=fill(EVU_PATTERN, subject),
        periode=Periode(first, date(year, 5, 31) if in_spring else date(year, 12, 10)),
        enhet=owner,
        skal_eksporteres=rng.random() < 0.94,
        lms_romkode="evu-rom" if rng.random() < 0.5 else None,
        tjenestenummer=rng.choices(("1", "2", None), (94, 5, 1))[0],
        aktiviteter=(EvuKursaktivitet("SAMLING-1", "Samling 1"), EvuKursaktivitet("SAMLING-2", "Samling 2")),
    )
